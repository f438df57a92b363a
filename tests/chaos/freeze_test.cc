// Processes that stand still (SIGSTOP) and wake up again.

#include <signal.h>

#include <string>

#include "gtest/gtest.h"
#include "tests/chaos/swarm.h"

namespace starling {
namespace {

// Lets `seconds` pass by the clock of a living peer.
bool Pass(Daemon& peer, double seconds) {
  double first = -1;
  return WatchUntil(peer.address(), [&](const v1::Status& now) {
    if (first < 0) first = now.uptime_seconds();
    return now.uptime_seconds() >= first + seconds;
  });
}

TEST(FreezeTest, TwoSecondsCostNobodyItsMembership) {
  RealSwarm swarm(3);
  for (int i = 0; i < 3; ++i) swarm.Add({"--preset=lan"});
  ASSERT_TRUE(swarm.Start());
  const std::string id = StatusOf(swarm.peer(2).address()).peer_id();
  swarm.peer(2).Signal(SIGSTOP);
  EXPECT_TRUE(Pass(swarm.peer(0), 2));
  swarm.peer(2).Signal(SIGCONT);
  EXPECT_TRUE(AllGoOn(swarm, {0, 1, 2}, 200));
  for (int i : {0, 1}) {
    v1::Status last;
    EXPECT_TRUE(WatchUntil(
        swarm.peer(i).address(),
        [&](const v1::Status& now) { return StateSeenBy(now, id) == v1::PEER_STATE_ALIVE; }, &last))
        << last.DebugString();
    EXPECT_EQ(last.detector().deaths(), 0u) << swarm.peer(i).log();
  }
}

TEST(FreezeTest, WhoStandsStillForLongIsDeadAndComesBackWhenItWakes) {
  RealSwarm swarm(3);
  ASSERT_TRUE(swarm.Start());
  const std::string id = StatusOf(swarm.peer(2).address()).peer_id();
  swarm.peer(2).Signal(SIGSTOP);
  for (int i : {0, 1}) {
    EXPECT_TRUE(WatchUntil(swarm.peer(i).address(), [&](const v1::Status& now) {
      return StateSeenBy(now, id) == v1::PEER_STATE_DEAD;
    })) << swarm.peer(i).log();
  }
  EXPECT_TRUE(AllGoOn(swarm, {0, 1}, 200));
  swarm.peer(2).Signal(SIGCONT);
  for (int i : {0, 1}) {
    EXPECT_TRUE(WatchUntil(swarm.peer(i).address(), [&](const v1::Status& now) {
      return StateSeenBy(now, id) == v1::PEER_STATE_ALIVE;
    })) << swarm.peer(i).log();
  }
  EXPECT_TRUE(WatchUntil(swarm.peer(2).address(), MoreExchanges(5))) << swarm.peer(2).log();
}

}  // namespace
}  // namespace starling
