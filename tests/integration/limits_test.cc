// Limits on what daemons move, with real ones: they hold by the daemon's own counters and clock, and can be
// changed while it trains.

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/integration/daemon.h"

namespace starling {
namespace {

// A model of 0.94 MB, and an exchange at every step: without limits 19 MB/s in each direction.
const std::vector<std::string> kEager = {"--model=mlp", "--epochs=0", "--min_peers=2",
                                         "--algorithm=elastic_gossip:p=1"};
constexpr double kModel = 235'146 * 4;
constexpr double kLimit = 1e6;

struct Outcome {
  int code;
  std::string output;
};

Outcome Starling(std::vector<std::string> words) {
  Daemon program("peer/cli/starling", words);
  const int code = program.Wait();
  program.LogHas("\x01");  // never there: waits for the end of the output
  return {code, program.log()};
}

class LimitsTest : public testing::Test {
 protected:
  // The first peer of two with these flags besides.
  void Start(const std::vector<std::string>& flags) {
    coordinator_ = StartCoordinator(kEager);
    std::vector<std::string> both = {absl::StrCat("--coordinator=", coordinator_->address()),
                                     "--max_steps_per_second=20"};
    other_ = StartPeer(both);
    both.insert(both.end(), flags.begin(), flags.end());
    peer_ = StartPeer(both);
  }

  Outcome Limit(const std::string& flag) {
    return Starling({"limit", absl::StrCat("--endpoint=", peer_->address()), flag});
  }

  std::unique_ptr<Daemon> coordinator_;
  std::unique_ptr<Daemon> peer_;
  std::unique_ptr<Daemon> other_;
};

TEST_F(LimitsTest, WhatAPeerSendsStaysBelowItsLimitAndExchangesGoOn) {
  Start({"--limit_send=1MB"});
  v1::Status status;
  ASSERT_TRUE(WatchUntil(
      peer_->address(),
      [](const v1::Status& now) {
        return now.gossip().exchanges_committed() >= 3 && now.gossip().exchanges_answered() >= 3 &&
               now.gossip().exchanges_committed() + now.gossip().exchanges_answered() >= 14;
      },
      &status))
      << status.DebugString();
  const v1::BudgetStatus& budget = status.gossip().budget();
  EXPECT_LE(static_cast<double>(status.gossip().bytes_sent()),
            kLimit * status.uptime_seconds() + kLimit + kModel)
      << status.gossip().DebugString();
  EXPECT_GT(budget.exchanges_skipped(), 0);
  EXPECT_GT(budget.exchanges_coarser(), 0);
  EXPECT_EQ(budget.request_codec(), "bf16");
  EXPECT_EQ(budget.reason(), "1.0 MB/s sent in all");
  EXPECT_EQ(budget.limits().send(), 1'000'000);
  EXPECT_GE(budget.sent_last_day() + 2 * kModel, status.gossip().bytes_sent());
}

TEST_F(LimitsTest, ALivingDaemonIsLimitedAndSetFreeAgain) {
  Start({});
  v1::Status status;
  ASSERT_TRUE(WatchUntil(peer_->address(), [](const v1::Status& now) {
    return now.gossip().exchanges_committed() >= 3;
  }));
  const Outcome limited = Limit("--send=8Mbit");
  EXPECT_EQ(limited.code, 0) << limited.output;
  EXPECT_NE(limited.output.find("send:      1.0 MB/s in all; "), std::string::npos)
      << limited.output;
  ASSERT_TRUE(WatchUntil(
      peer_->address(),
      [](const v1::Status& now) {
        return now.gossip().budget().exchanges_skipped() >= 10 &&
               now.gossip().budget().request_codec() == "bf16";
      },
      &status))
      << status.gossip().DebugString();
  v1::Status later;
  ASSERT_TRUE(WatchUntil(
      peer_->address(),
      [&](const v1::Status& now) { return now.uptime_seconds() >= status.uptime_seconds() + 4; },
      &later));
  EXPECT_LE(static_cast<double>(later.gossip().bytes_sent() - status.gossip().bytes_sent()),
            kLimit * (later.uptime_seconds() - status.uptime_seconds()) + kLimit + kModel);

  EXPECT_EQ(Limit("--send=0").code, 0);
  const v1::Status freed = StatusOf(peer_->address());
  ASSERT_TRUE(WatchUntil(
      peer_->address(),
      [&](const v1::Status& now) {
        return now.gossip().exchanges_committed() >= freed.gossip().exchanges_committed() + 20;
      },
      &status))
      << status.gossip().DebugString();
  EXPECT_EQ(status.gossip().budget().exchanges_skipped(),
            freed.gossip().budget().exchanges_skipped());
  EXPECT_EQ(status.gossip().budget().request_codec(), "");
}

TEST_F(LimitsTest, WhatCannotBeLimitedIsSaidInOneLine) {
  Start({});
  ASSERT_TRUE(WatchUntil(peer_->address(), [](const v1::Status& now) {
    return now.phase() == v1::PHASE_TRAINING;
  }));
  const Outcome ambiguous = Limit("--send=20Mb");
  EXPECT_EQ(ambiguous.code, 64);
  EXPECT_NE(ambiguous.output.find("--send=20Mb"), std::string::npos) << ambiguous.output;
  const Outcome coordinator =
      Starling({"limit", absl::StrCat("--endpoint=", coordinator_->address()), "--send=1MB"});
  EXPECT_EQ(coordinator.code, 1) << coordinator.output;
  EXPECT_NE(coordinator.output.find("ask a peer"), std::string::npos) << coordinator.output;
  EXPECT_EQ(StatusOf(peer_->address()).gossip().budget().limits().send(), 0);
}

TEST(LimitFlagsTest, ABadLimitEndsThePeerBeforeItStarts) {
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{"--limit_send=fast"},
        std::vector<std::string>{"--limit_receive_per_day=12"},
        std::vector<std::string>{"--limit_send=1MB", "--algorithm=allreduce_sgd"}}) {
    auto peer = StartPeer(flags);
    EXPECT_EQ(peer->Wait(), 64) << flags[0];
    EXPECT_TRUE(peer->LogHas("limit")) << peer->log();
  }
}

}  // namespace
}  // namespace starling
