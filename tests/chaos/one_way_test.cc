// Peers of whom one cannot hear another, though that one hears it: packets of one direction vanish, in a little
// network of namespaces. Acknowledgements vanish with them, so that connections in both directions starve.

#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "peer/cli/chaos_network.h"
#include "tests/chaos/swarm.h"
#include "tests/integration/daemon.h"

namespace starling {
namespace {

constexpr int kPeers = 4;

// Four peers in a network of their own, with nobody to coordinate them. The process cannot leave it again, so
// that all tests share it.
class OneWayTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto network = ChaosNetwork::Enter(kPeers, testing::TempDir());
    if (network.ok()) {
      network_ = network->release();
    } else {
      why_not_ = std::string(network.status().message());
    }
  }

  void SetUp() override {
    if (network_ == nullptr) GTEST_SKIP() << why_not_;
    for (int i = 0; i < kPeers; ++i) {
      std::vector<std::string> flags = {absl::StrCat("--listen=", network_->address(i), ":7700"),
                                        "--max_steps_per_second=100", "--evaluate_every=0"};
      if (i == 0) {
        for (const char* flag : {"--model=mlp", "--data=synthetic", "--epochs=0", "--parts=4",
                                 "--algorithm=elastic_gossip:p=1/4"}) {
          flags.emplace_back(flag);
        }
      } else {
        flags.push_back(absl::StrCat("--peers=", network_->address(0), ":7700"));
      }
      peers_.push_back(StartPeer(
          flags, {"nsenter", absl::StrCat("--net=/proc/", getpid(), "/fd/",
                                          network_->node_namespace(i))}));
      ASSERT_TRUE(WatchUntil(peers_[i]->address(), Trains)) << peers_[i]->log();
      ids_.push_back(StatusOf(peers_[i]->address()).peer_id());
    }
    ExpectOneView();
  }

  void TearDown() override {
    if (network_ == nullptr) return;
    EXPECT_TRUE(network_->Heal().ok());
  }

  // Everybody sees everybody alive.
  void ExpectOneView() {
    for (int i = 0; i < kPeers; ++i) {
      for (const std::string& id : ids_) ExpectSeen(i, id, v1::PEER_STATE_ALIVE);
    }
  }

  void ExpectSeen(int observer, const std::string& id, v1::PeerState state) {
    v1::Status last;
    EXPECT_TRUE(WatchUntil(
        peers_[observer]->address(),
        [&](const v1::Status& now) { return StateSeenBy(now, id) == state; }, &last))
        << "peer " << observer << " and " << id << ": " << last.DebugString();
  }

  // Lets `seconds` pass by the clock of peer 0.
  void Pass(double seconds) {
    double first = -1;
    EXPECT_TRUE(WatchUntil(peers_[0]->address(), [&](const v1::Status& now) {
      if (first < 0) first = now.uptime_seconds();
      return now.uptime_seconds() >= first + seconds;
    }));
  }

  void ExpectSteps(uint64_t steps) {
    for (int i = 0; i < kPeers; ++i) {
      EXPECT_TRUE(WatchUntil(peers_[i]->address(), MoreSteps(steps))) << peers_[i]->log();
    }
  }

  void ExpectExchanges(const std::vector<int>& peers) {
    for (int i : peers) {
      EXPECT_TRUE(WatchUntil(peers_[i]->address(), MoreExchanges(10))) << peers_[i]->log();
    }
  }

  // Peer 1, cut off from the others by now.
  void ExpectDeadAloneAndBack() {
    for (int i : {0, 2, 3}) ExpectSeen(i, ids_[1], v1::PEER_STATE_DEAD);
    ExpectSteps(100);
    ExpectExchanges({0, 2, 3});
    ASSERT_TRUE(network_->Heal().ok());
    ExpectOneView();
    ExpectSteps(50);
    ExpectExchanges({0, 1, 2, 3});
  }

  static ChaosNetwork* network_;
  static std::string why_not_;
  std::vector<std::unique_ptr<Daemon>> peers_;
  std::vector<std::string> ids_;
};

ChaosNetwork* OneWayTest::network_ = nullptr;
std::string OneWayTest::why_not_;

TEST_F(OneWayTest, WhereOneLinkIsCutOneWayTheOthersVouchForBothEnds) {
  ASSERT_TRUE(network_->DropOneWay({1}, {2}).ok());
  // Twice as long as it takes to be declared dead.
  Pass(10);
  ExpectSteps(50);
  ExpectExchanges({0, 1, 2, 3});
  for (int i = 0; i < kPeers; ++i) {
    v1::Status now = StatusOf(peers_[i]->address());
    EXPECT_EQ(now.detector().deaths(), 0u) << peers_[i]->log();
  }
  ASSERT_TRUE(network_->Heal().ok());
  ExpectOneView();
  ExpectExchanges({0, 1, 2, 3});
}

TEST_F(OneWayTest, WhomNobodyHearsIsDeadToAllTrainsAloneAndComesBack) {
  ASSERT_TRUE(network_->DropOneWay({1}, {0, 2, 3}).ok());
  ExpectDeadAloneAndBack();
}

TEST_F(OneWayTest, WhoHearsNobodyIsDeadToAllTrainsAloneAndComesBack) {
  ASSERT_TRUE(network_->DropOneWay({0, 2, 3}, {1}).ok());
  ExpectDeadAloneAndBack();
}

}  // namespace
}  // namespace starling
