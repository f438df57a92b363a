#include "tests/sim/sim_executor.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace starling {
namespace {

class SimExecutorTest : public ::testing::Test {
 protected:
  Task Say(std::string word) {
    return [this, word = std::move(word)] { said_.push_back(word); };
  }
  void RunFor(absl::Duration duration) { world_.RunUntil(world_.now() + duration); }

  std::vector<std::string> said_;
  SimWorld world_;
  SimExecutor* const a_ = world_.NewExecutor("a");
  SimExecutor* const b_ = world_.NewExecutor("b");
};

using Words = std::vector<std::string>;

TEST_F(SimExecutorTest, TasksRunInTheOrderOfTimeThenOfScheduling) {
  a_->ScheduleAt(world_.now() + absl::Seconds(2), Say("third"));
  b_->ScheduleAt(world_.now() + absl::Seconds(1), Say("first"));
  a_->ScheduleAt(world_.now() + absl::Seconds(1), Say("second"));
  RunFor(absl::Seconds(3));
  EXPECT_EQ(said_, (Words{"first", "second", "third"}));
}

TEST_F(SimExecutorTest, PostNeverRunsInsideTheCall) {
  a_->Post([this] {
    a_->Post(Say("inner"));
    said_.push_back("outer");
  });
  RunFor(absl::ZeroDuration());
  EXPECT_EQ(said_, (Words{"outer", "inner"}));
}

TEST_F(SimExecutorTest, NowIsConstantWithinAnEventAndJumpsToTheNext) {
  const absl::Time start = world_.now();
  std::vector<absl::Duration> seen;
  auto look = [&] {
    seen.push_back(a_->Now() - start);
    seen.push_back(b_->Now() - start);
  };
  a_->ScheduleAt(start + absl::Seconds(1), look);
  a_->ScheduleAt(start + absl::Seconds(5), look);
  RunFor(absl::Seconds(10));
  EXPECT_EQ(seen, (std::vector<absl::Duration>{absl::Seconds(1), absl::Seconds(1),
                                               absl::Seconds(5), absl::Seconds(5)}));
  EXPECT_EQ(world_.now() - start, absl::Seconds(10));
}

TEST_F(SimExecutorTest, ATimeInThePastMeansNow) {
  a_->ScheduleAt(absl::InfinitePast(), Say("late"));
  RunFor(absl::ZeroDuration());
  EXPECT_EQ(said_, Words{"late"});
}

TEST_F(SimExecutorTest, RunsHereIsTrueInATaskOfThatVeryExecutorOnly) {
  EXPECT_FALSE(a_->RunsHere());
  bool in_a = false;
  bool in_b = true;
  a_->Post([&] {
    in_a = a_->RunsHere();
    in_b = b_->RunsHere();
  });
  RunFor(absl::ZeroDuration());
  EXPECT_TRUE(in_a);
  EXPECT_FALSE(in_b);
  EXPECT_FALSE(a_->RunsHere());
}

TEST_F(SimExecutorTest, ACancelledTimerDoesNotRun) {
  const TimerId timer = a_->ScheduleAt(world_.now() + absl::Seconds(1), Say("no"));
  a_->Cancel(timer);
  a_->Cancel(timer);
  a_->Cancel(12345);
  RunFor(absl::Seconds(2));
  EXPECT_TRUE(said_.empty());
  EXPECT_EQ(world_.pending(), 0u);
}

TEST_F(SimExecutorTest, ATaskThatWaitsCanBeCancelled) {
  a_->Pause();
  const TimerId timer = a_->ScheduleAt(world_.now() + absl::Seconds(1), Say("no"));
  RunFor(absl::Seconds(2));
  EXPECT_EQ(a_->waiting(), 1u);
  a_->Cancel(timer);
  a_->Resume();
  RunFor(absl::Seconds(1));
  EXPECT_TRUE(said_.empty());
}

TEST_F(SimExecutorTest, APausedExecutorRunsWhatPiledUpInOrderOnceResumed) {
  a_->Pause();
  a_->ScheduleAt(world_.now() + absl::Seconds(2), Say("timer"));
  a_->Post(Say("posted"));
  b_->Post(Say("b goes on"));
  RunFor(absl::Seconds(5));
  EXPECT_EQ(said_, Words{"b goes on"});
  a_->Resume();
  a_->Post(Say("after"));
  RunFor(absl::ZeroDuration());
  EXPECT_EQ(said_, (Words{"b goes on", "posted", "timer", "after"}));
}

TEST_F(SimExecutorTest, WhatComesWhileAnExecutorIsBusyRunsBeforeItsNextStep) {
  const absl::Time start = world_.now();
  absl::Time mixed_at;
  a_->Post([&] {
    a_->BusyFor(absl::Seconds(1));
    a_->ScheduleAt(start + absl::Seconds(1), Say("next step"));
  });
  a_->ScheduleAt(start + absl::Milliseconds(300), [&] {
    mixed_at = a_->Now();
    said_.push_back("mix");
  });
  RunFor(absl::Seconds(2));
  EXPECT_EQ(said_, (Words{"mix", "next step"}));
  EXPECT_EQ(mixed_at - start, absl::Seconds(1));
}

TEST_F(SimExecutorTest, AKilledExecutorDestroysItsTasksWithoutRunningThem) {
  auto owned = std::make_shared<int>(0);
  a_->Post([owned] { ++*owned; });
  a_->ScheduleAt(world_.now() + absl::Seconds(1), [owned] { ++*owned; });
  a_->Kill();
  EXPECT_EQ(owned.use_count(), 1);
  a_->Post([owned] { ++*owned; });
  EXPECT_EQ(owned.use_count(), 1);
  RunFor(absl::Seconds(2));
  EXPECT_EQ(*owned, 0);
}

TEST_F(SimExecutorTest, AVisitorMayDoWhatATaskMay) {
  a_->Visit([&] { EXPECT_TRUE(a_->RunsHere()); });
  EXPECT_FALSE(a_->RunsHere());
}

TEST_F(SimExecutorTest, AFastClockRunsTimersEarlyAndArrivalsOnTime) {
  a_->SetClock({absl::Hours(100), 10'000});
  const absl::Time start = a_->Now();
  EXPECT_EQ(start - world_.now(), absl::Hours(100));
  const absl::Time world_start = world_.now();
  std::vector<std::pair<absl::Duration, absl::Duration>> seen;
  auto look = [&] { seen.emplace_back(world_.now() - world_start, a_->Now() - start); };
  a_->ScheduleAt(start + absl::Milliseconds(10'100), look);
  a_->ArriveAt(world_start + absl::Seconds(20), look);
  RunFor(absl::Seconds(30));
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0], std::make_pair(absl::Seconds(10), absl::Milliseconds(10'100)));
  EXPECT_EQ(seen[1], std::make_pair(absl::Seconds(20), absl::Milliseconds(20'200)));
}

TEST_F(SimExecutorTest, NoTimerIsEarlyWhateverTheDrift) {
  for (const int64_t drift : {-9'973, -500, -1, 1, 499, 9'973}) {
    SimExecutor* const odd = world_.NewExecutor("odd");
    odd->SetClock({absl::Nanoseconds(12'345'678'901), drift});
    for (int i = 1; i <= 50; ++i) {
      const absl::Time due = odd->Now() + absl::Nanoseconds(i * 7'919'003) / 3;
      bool ran = false;
      odd->ScheduleAt(due, [&] {
        ran = true;
        EXPECT_GE(odd->Now(), due);
        EXPECT_LT(odd->Now(), due + absl::Nanoseconds(3));
      });
      RunFor(absl::Seconds(1));
      EXPECT_TRUE(ran);
    }
  }
}

TEST_F(SimExecutorTest, AClockThatLeapsMakesItsTimersDueOnceAndLeavesOthersAlone) {
  const absl::Time start = world_.now();
  a_->ScheduleAt(a_->Now() + absl::Seconds(5), Say("soon"));
  a_->ScheduleAt(a_->Now() + absl::Seconds(100), Say("later"));
  const TimerId cancelled = a_->ScheduleAt(a_->Now() + absl::Seconds(50), Say("no"));
  a_->ArriveAt(start + absl::Seconds(5), Say("arrival"));
  b_->ScheduleAt(b_->Now() + absl::Seconds(4), Say("b"));
  a_->LeapClock(absl::Seconds(60));
  a_->Cancel(cancelled);
  EXPECT_EQ(a_->Now() - start, absl::Seconds(60));
  RunFor(absl::Seconds(39));
  EXPECT_EQ(said_, (Words{"soon", "b", "arrival"}));
  RunFor(absl::Seconds(1));
  EXPECT_EQ(said_, (Words{"soon", "b", "arrival", "later"}));
  RunFor(absl::Seconds(200));
  EXPECT_EQ(said_.size(), 4u);
  EXPECT_EQ(world_.pending(), 0u);
}

TEST_F(SimExecutorTest, TheTraceTellsTwoOrdersApart) {
  auto run = [](bool a_first) {
    SimWorld world;
    SimExecutor* a = world.NewExecutor("a");
    SimExecutor* b = world.NewExecutor("b");
    (a_first ? a : b)->Post([] {});
    (a_first ? b : a)->Post([] {});
    world.RunUntil(world.now());
    return world.trace().value();
  };
  EXPECT_EQ(run(true), run(true));
  EXPECT_NE(run(true), run(false));
}

}  // namespace
}  // namespace starling
