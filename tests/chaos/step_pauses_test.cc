#include "tests/chaos/step_pauses.h"

#include <algorithm>
#include <vector>

#include "gtest/gtest.h"

namespace starling {
namespace {

ChaosSample Sample(double at, std::vector<int> steps) {
  ChaosSample sample = {.at = at};
  for (int step : steps) {
    sample.peers.push_back({.answered = step >= 0, .training = step > 0,
                            .step = static_cast<uint64_t>(std::max(0, step))});
  }
  return sample;
}

TEST(StepPausesTest, LongestStandstillOfEachPeer) {
  StepPauses pauses;
  pauses.Observe(Sample(0, {1, 1}));
  pauses.Observe(Sample(1, {2, 1}));
  pauses.Observe(Sample(2, {3, 1}));
  pauses.Observe(Sample(3, {4, 2}));
  pauses.Observe(Sample(4, {5, 3}));
  EXPECT_EQ(pauses.longest(0), 1);
  EXPECT_EQ(pauses.longest(1), 3);
  EXPECT_EQ(pauses.longest(), 3);
  EXPECT_EQ(pauses.step_time(0), 1);
  EXPECT_EQ(pauses.step_time(1), 2);
}

TEST(StepPausesTest, StepsMadeBetweenTwoLooksTookTheirTime) {
  StepPauses pauses(/*least_step_time=*/0.5);
  pauses.Observe(Sample(0, {1, 1}));
  pauses.Observe(Sample(5, {10, 3}));
  EXPECT_EQ(pauses.longest(0), 1);
  EXPECT_EQ(pauses.longest(1), 4.5);
}

TEST(StepPausesTest, TimeBeforeTrainingAndAfterTheEndDoesNotCount) {
  StepPauses pauses;
  pauses.Observe(Sample(0, {-1}));
  pauses.Observe(Sample(10, {0}));
  pauses.Observe(Sample(20, {1}));
  pauses.Observe(Sample(21, {2}));
  pauses.Forget(0, 21.5);
  pauses.Observe(Sample(40, {-1}));
  EXPECT_EQ(pauses.longest(0), 1);
}

TEST(StepPausesTest, StandstillUntilTheEndAndSilenceCount) {
  StepPauses pauses;
  pauses.Observe(Sample(0, {1}));
  pauses.Observe(Sample(1, {-1}));
  pauses.Observe(Sample(2, {-1}));
  EXPECT_EQ(pauses.longest(0), 2);
  pauses.Forget(0, 5);
  EXPECT_EQ(pauses.longest(0), 5);
  EXPECT_EQ(pauses.longest(3), 0);
}

}  // namespace
}  // namespace starling
