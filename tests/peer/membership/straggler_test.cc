#include "peer/membership/straggler.h"

#include <gtest/gtest.h>

namespace starling {
namespace {

class StragglerTest : public testing::Test {
 protected:
  // Steps once a second, now and then a quarter later.
  void Walk(int steps) {
    for (int i = 0; i < steps; ++i) {
      now_ += absl::Seconds(i % 4 == 0 ? 1.25 : 1);
      straggler_.OnStep(now_, ++step_);
    }
  }

  Straggler straggler_;
  absl::Time now_ = absl::UnixEpoch() + absl::Hours(1);
  uint64_t step_ = 0;
};

TEST_F(StragglerTest, NothingIsUnusualBeforeThereIsSomethingToCompareWith) {
  EXPECT_EQ(straggler_.Score(now_), 0);
  Walk(3);
  EXPECT_EQ(straggler_.Score(now_ + absl::Hours(1)), 0);
}

TEST_F(StragglerTest, ScoreGrowsWithSilenceAndEndsWithTheNextStep) {
  Walk(50);
  EXPECT_LT(straggler_.Score(now_ + absl::Seconds(1)), 0.6) << "every other time";
  EXPECT_GT(straggler_.Score(now_ + absl::Seconds(2)), 3);
  EXPECT_GT(straggler_.Score(now_ + absl::Seconds(3)), 8);
  EXPECT_EQ(straggler_.Score(now_ + absl::Hours(10)), Straggler::kHighest);
  now_ += absl::Seconds(3);
  straggler_.OnStep(now_, ++step_);
  EXPECT_LT(straggler_.Score(now_), 0.6);
}

TEST_F(StragglerTest, WhoeverIsAlwaysSlowIsNotUnusual) {
  for (int i = 0; i < 50; ++i) {
    now_ += absl::Seconds(30);
    straggler_.OnStep(now_, ++step_);
  }
  EXPECT_LT(straggler_.Score(now_ + absl::Seconds(30)), 0.5);
  EXPECT_GT(straggler_.Score(now_ + absl::Seconds(90)), 8);
}

TEST_F(StragglerTest, TheSameStepAgainIsNoProgressAndFewerStepsAreANewBeginning) {
  Walk(50);
  const absl::Time later = now_ + absl::Seconds(5);
  straggler_.OnStep(later, step_);
  EXPECT_GT(straggler_.Score(later), 8);
  straggler_.OnStep(later, 3);
  EXPECT_LT(straggler_.Score(later), 0.6);
}

TEST(StragglerPaceTest, ItIsKnownFromTheSecondNews) {
  Straggler straggler;
  EXPECT_EQ(straggler.step_time(), absl::ZeroDuration());
  const absl::Time start = absl::UnixEpoch();
  straggler.OnStep(start, 10);
  straggler.OnStep(start + absl::Seconds(3), 16);
  EXPECT_EQ(straggler.step_time(), absl::Milliseconds(500));
}

}  // namespace
}  // namespace starling
