// Swarms whose members reach one of them through a bad network, made by a proxy of ours.

#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/chaos/asio_tcp_proxy.h"
#include "tests/chaos/swarm.h"

namespace starling {
namespace {

// Three peers; everybody, and the coordinator too, reaches peer 0 through the proxy.
class NetworkTest : public testing::Test {
 protected:
  NetworkTest() : port_(FreePort()), proxy_(port_, /*seed=*/1), swarm_(3) {
    swarm_.Add({absl::StrCat("--listen=127.0.0.1:", port_),
                absl::StrCat("--advertise=127.0.0.1:", proxy_.port()),
                // Or its payloads would not pass the proxy.
                "--same_host_copies=false"});
  }

  Daemon& far() { return swarm_.peer(0); }

  void ExpectSoundModels() {
    for (int i = 0; i < swarm_.size(); ++i) {
      const v1::Status status = StatusOf(swarm_.peer(i).address());
      EXPECT_TRUE(std::isfinite(status.training().loss())) << status.DebugString();
      EXPECT_LT(status.training().loss(), 10) << status.DebugString();
    }
  }

  const int port_;
  AsioTcpProxy proxy_;
  RealSwarm swarm_;
};

uint64_t Refusals(const v1::Status& status, v1::RefusalReason reason) {
  uint64_t count = 0;
  for (const v1::RefusalCount& row : status.gossip().refused()) {
    if (row.reason() == reason) count += row.count();
  }
  for (const v1::RefusalCount& row : status.gossip().refusals()) {
    if (row.reason() == reason) count += row.count();
  }
  return count;
}

TEST_F(NetworkTest, DelayAndJitterSlowExchangesAndCostNobodyItsMembership) {
  proxy_.Set({.delay = absl::Milliseconds(30), .jitter = absl::Milliseconds(20)});
  ASSERT_TRUE(swarm_.Start());
  EXPECT_TRUE(AllGoOn(swarm_, {0, 1, 2}, 500));
  for (int i : {0, 1, 2}) {
    v1::Status status;
    EXPECT_TRUE(WatchUntil(swarm_.peer(i).address(), MoreExchanges(10), &status));
    EXPECT_EQ(status.detector().deaths(), 0u) << swarm_.peer(i).log();
  }
  EXPECT_GT(proxy_.bytes(), 1000000u) << "nothing went through the proxy";
  ExpectSoundModels();
}

TEST_F(NetworkTest, FlippedBitsAreNoticedAndNeverReachAModel) {
  ASSERT_TRUE(swarm_.Start());
  // An exchange of this model is about 2 MB.
  proxy_.Set({.bytes_per_flip = 3000000});
  v1::Status status;
  EXPECT_TRUE(WatchUntil(
      far().address(),
      [this](const v1::Status& now) {
        return proxy_.flips() >= 40 && Refusals(now, v1::REFUSAL_REASON_CORRUPT) >= 1;
      },
      &status))
      << proxy_.flips() << " flips; " << status.DebugString();
  EXPECT_TRUE(AllGoOn(swarm_, {0, 1, 2}));
  proxy_.Set({});
  EXPECT_TRUE(WatchUntil(far().address(), MoreExchanges(5))) << far().log();
  ExpectSoundModels();
}

TEST_F(NetworkTest, ConnectionsCutInMidStreamAreMadeAgain) {
  ASSERT_TRUE(swarm_.Start());
  proxy_.Set({.cut_after = 1500000});
  proxy_.CutAll();
  EXPECT_TRUE(WatchUntil(
      swarm_.peer(1).address(), [this](const v1::Status&) { return proxy_.cuts() >= 20; }))
      << proxy_.cuts() << " cuts";
  EXPECT_TRUE(AllGoOn(swarm_, {0, 1, 2}));
  proxy_.Set({});
  EXPECT_TRUE(WatchUntil(far().address(), MoreExchanges(10))) << far().log();
  ExpectSoundModels();
}

}  // namespace
}  // namespace starling
