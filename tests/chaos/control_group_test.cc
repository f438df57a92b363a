// Daemons in a container that is too small: killed for their memory, or given a tenth of a processor.

#include <signal.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/chaos/control_group.h"
#include "tests/chaos/swarm.h"
#include "tests/integration/daemon.h"

namespace starling {
namespace {

// The first becomes the second, which becomes the daemon.
std::vector<std::string> Both(std::vector<std::string> outer,
                              const std::vector<std::string>& inner) {
  outer.insert(outer.end(), inner.begin(), inner.end());
  return outer;
}

TEST(ControlGroupTest, WhoIsKilledForItsMemoryIsDeadToAllAndTheOthersGoOn) {
  if (!HasProgram("choom")) GTEST_SKIP() << "needs the program choom (util-linux)";
  const auto group = ControlGroup::Create("memory");
  if (!group.ok()) GTEST_SKIP() << group.status().message();
  {
    RealSwarm swarm(3);
    // The kernel's first choice.
    Daemon& victim = swarm.Add({}, Both((*group)->wrapper(), {"choom", "-n", "1000", "--"}));
    ASSERT_TRUE(swarm.Start());
    ASSERT_TRUE(WatchUntil(victim.address(), MoreExchanges(5)));
    const std::string id = StatusOf(victim.address()).peer_id();
    constexpr uint64_t kRoom = uint64_t{32} << 20;
    ASSERT_TRUE((*group)->LimitMemory((*group)->memory() + kRoom).ok());
    EXPECT_TRUE(AllGoOn(swarm, {0, 1, 2})) << "nobody needs more than it has";
    EXPECT_EQ((*group)->killed(), 0u);
    // A neighbour in its container that keeps whatever it reads.
    Daemon glutton("unused", {}, Both((*group)->wrapper(), {"sh", "-c", "tail /dev/zero"}));
    EXPECT_EQ(victim.Wait(), 128 + SIGKILL) << victim.log();
    EXPECT_GE((*group)->killed(), 1u);
    for (int i : {1, 2}) {
      v1::Status last;
      EXPECT_TRUE(WatchUntil(
          swarm.peer(i).address(),
          [&](const v1::Status& now) { return StateSeenBy(now, id) == v1::PEER_STATE_DEAD; },
          &last))
          << last.DebugString();
      EXPECT_TRUE(WatchUntil(swarm.peer(i).address(), MoreExchanges(5)));
    }
    EXPECT_TRUE(AllGoOn(swarm, {1, 2}));
  }
}

TEST(ControlGroupTest, WhoGetsATenthOfAProcessorHoldsNobodyUpAndStaysAMember) {
  const auto group = ControlGroup::Create("cpu");
  if (!group.ok()) GTEST_SKIP() << group.status().message();
  {
    RealSwarm swarm(3);
    Daemon& slow = swarm.Add({"--max_steps_per_second=0", "--preset=lan"}, (*group)->wrapper());
    ASSERT_TRUE(swarm.Start());
    const std::string id = StatusOf(slow.address()).peer_id();
    ASSERT_TRUE((*group)->LimitCpu(0.1).ok());
    EXPECT_TRUE(AllGoOn(swarm, {1, 2}, 1000));
    EXPECT_TRUE(WatchUntil(slow.address(), MoreExchanges(3))) << slow.log();
    for (int i : {1, 2}) {
      v1::Status last;
      EXPECT_TRUE(WatchUntil(
          swarm.peer(i).address(),
          [&](const v1::Status& now) { return StateSeenBy(now, id) == v1::PEER_STATE_ALIVE; },
          &last))
          << last.DebugString();
      EXPECT_TRUE(WatchUntil(swarm.peer(i).address(), MoreExchanges(5)));
    }
  }
}

}  // namespace
}  // namespace starling
