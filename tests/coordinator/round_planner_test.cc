#include "coordinator/round_planner.h"

#include <gtest/gtest.h>

#include <vector>

namespace starling {
namespace {

class RoundPlannerTest : public testing::Test {
 protected:
  static v1::AveragingConfig Config(uint64_t period) {
    v1::AveragingConfig config;
    config.set_period_steps(period);
    config.set_deadline_seconds(10);
    return config;
  }
  // Members 1, 2, ... in training, at these steps.
  static std::vector<v1::Member> At(std::vector<uint64_t> steps) {
    std::vector<v1::Member> members;
    for (uint64_t step : steps) {
      v1::Member& member = members.emplace_back();
      member.set_peer_id(members.size());
      member.set_state(v1::PEER_STATE_ALIVE);
      member.set_step(step);
    }
    return members;
  }
  absl::optional<v1::RoundPlan> Tick(std::vector<uint64_t> steps) {
    return planner_.Tick(now_, 42, At(std::move(steps)));
  }

  absl::Time now_ = absl::UnixEpoch() + absl::Hours(1);
  RoundPlanner planner_{Config(100)};
};

TEST_F(RoundPlannerTest, RoundStartsWhenTheMedianHasMadeThePeriod) {
  EXPECT_FALSE(Tick({0, 0, 0}));
  EXPECT_FALSE(Tick({500, 99, 0})) << "one fast peer does not set the pace";
  const auto plan = Tick({500, 100, 0});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->round(), 1);
  EXPECT_EQ(plan->epoch(), 42);
  EXPECT_EQ(plan->deadline_seconds(), 10);
  EXPECT_EQ(plan->participants_size(), 3);
}

TEST_F(RoundPlannerTest, SlowTransfersAreGivenTwiceTheirTimeUpToAnHour) {
  planner_.Tick(now_, 42, At({0, 0}));
  const auto plan = planner_.Tick(now_, 42, At({100, 100}), absl::Minutes(2));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->deadline_seconds(), 10 + 240);
  now_ += absl::Seconds(249);
  EXPECT_FALSE(Tick({300, 300})) << "the next one waits as long";
  now_ += absl::Seconds(1);
  const auto longest = planner_.Tick(now_, 42, At({300, 300}), absl::Minutes(50));
  ASSERT_TRUE(longest);
  EXPECT_EQ(longest->deadline_seconds(), 3600);
}

TEST_F(RoundPlannerTest, NoRoundWhileOneIsOpen) {
  Tick({0, 0});
  ASSERT_TRUE(Tick({100, 100}));
  now_ += absl::Seconds(9.9);
  EXPECT_FALSE(Tick({300, 300}));
  now_ += absl::Seconds(0.1);
  const auto plan = Tick({300, 300});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->round(), 2);
  EXPECT_EQ(planner_.rounds_planned(), 2);
}

TEST_F(RoundPlannerTest, PeriodIsCountedFromTheLastRound) {
  Tick({0, 0});
  ASSERT_TRUE(Tick({170, 170}));
  now_ += absl::Minutes(1);
  EXPECT_FALSE(Tick({269, 269}));
  EXPECT_TRUE(Tick({270, 270}));
}

TEST_F(RoundPlannerTest, AtLeastTwoMustTrain) {
  EXPECT_FALSE(Tick({0}));
  EXPECT_FALSE(Tick({1000}));
  EXPECT_FALSE(Tick({1000, 1000})) << "alone it made no step that counts";
  EXPECT_TRUE(Tick({1100, 1100}));
}

TEST_F(RoundPlannerTest, OnlyMembersInTrainingTakePart) {
  std::vector<v1::Member> members = At({200, 200, 200, 200});
  members[1].set_state(v1::PEER_STATE_JOINING);
  members[3].set_state(v1::PEER_STATE_DEAD);
  Tick({0, 0, 0, 0});
  const auto plan = planner_.Tick(now_, 42, members);
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->participants_size(), 2);
  EXPECT_EQ(plan->participants(0), 1);
  EXPECT_EQ(plan->participants(1), 3);
}

TEST_F(RoundPlannerTest, AfterARestartTheNextMultipleOfThePeriodIsDue) {
  EXPECT_FALSE(Tick({5043, 5044}));
  EXPECT_FALSE(Tick({5099, 5099}));
  EXPECT_TRUE(Tick({5100, 5100}));
}

TEST_F(RoundPlannerTest, NewcomersThatPullTheMedianBackDelayNoRoundForever) {
  Tick({0, 0});
  ASSERT_TRUE(Tick({1000, 1000}));
  now_ += absl::Minutes(1);
  EXPECT_FALSE(Tick({1000, 1000, 0, 0, 0}));
  EXPECT_TRUE(Tick({1100, 1100, 100, 100, 100}));
}

TEST_F(RoundPlannerTest, PeriodZeroNeverPlans) {
  RoundPlanner off{Config(0)};
  EXPECT_FALSE(off.Tick(now_, 1, At({0, 0})));
  EXPECT_FALSE(off.Tick(now_, 1, At({1000000, 1000000})));
}

}  // namespace
}  // namespace starling
