#include "peer/gossip/schedule.h"

#include <vector>

#include "gtest/gtest.h"

namespace starling {
namespace {

std::vector<uint64_t> TriggeredSteps(const Schedule& schedule, uint64_t steps, uint64_t seed) {
  Random random(seed);
  std::vector<uint64_t> triggered;
  for (uint64_t step = 1; step <= steps; ++step) {
    if (schedule.Triggers(step, random)) triggered.push_back(step);
  }
  return triggered;
}

TEST(ScheduleTest, NeverNeverTriggers) {
  EXPECT_TRUE(TriggeredSteps(*MakeNever(), 1000, 1).empty());
}

TEST(ScheduleTest, CertaintyTriggersAtEveryMultipleOfThePeriod) {
  EXPECT_EQ(TriggeredSteps(*MakePeriodicCoin(3, 1), 10, 1), (std::vector<uint64_t>{3, 6, 9}));
  EXPECT_EQ(TriggeredSteps(*MakePeriodicCoin(1, 1), 4, 1), (std::vector<uint64_t>{1, 2, 3, 4}));
}

TEST(ScheduleTest, TheCoinIsFairAndOnlyTossedAtMultiplesOfThePeriod) {
  const std::vector<uint64_t> triggered = TriggeredSteps(*MakePeriodicCoin(2, 0.125), 80000, 7);
  // 40000 tosses: 5000 expected, standard deviation 66.
  EXPECT_NEAR(static_cast<double>(triggered.size()), 5000, 330);
  for (const uint64_t step : triggered) EXPECT_EQ(step % 2, 0);

  Random asked(3);
  Random untouched(3);
  EXPECT_FALSE(MakePeriodicCoin(2, 0.5)->Triggers(1, asked));
  EXPECT_EQ(asked.Next(), untouched.Next());
}

TEST(ScheduleTest, TheSeedDecides) {
  const auto schedule = MakePeriodicCoin(1, 0.3);
  EXPECT_EQ(TriggeredSteps(*schedule, 500, 1), TriggeredSteps(*schedule, 500, 1));
  EXPECT_NE(TriggeredSteps(*schedule, 500, 1), TriggeredSteps(*schedule, 500, 2));
}

}  // namespace
}  // namespace starling
