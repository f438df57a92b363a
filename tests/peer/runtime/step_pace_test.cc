#include "peer/runtime/step_pace.h"

#include "gtest/gtest.h"

namespace starling {
namespace {

double Seconds(const StepPace& pace) { return absl::ToDoubleSeconds(pace.step_time()); }

class StepPaceTest : public testing::Test {
 protected:
  void After(absl::Duration time, uint64_t step) {
    now_ += time;
    pace_.OnStep(now_, step);
  }
  absl::Time now_ = absl::UnixEpoch();
  StepPace pace_;
};

TEST_F(StepPaceTest, IsUnknownBeforeTheSecondStep) {
  EXPECT_EQ(pace_.step_time(), absl::ZeroDuration());
  After(absl::Seconds(9), 500);
  EXPECT_EQ(pace_.step_time(), absl::ZeroDuration()) << "a newcomer begins where its donor was";
  After(absl::Seconds(2), 501);
  EXPECT_EQ(pace_.step_time(), absl::Seconds(2));
}

TEST_F(StepPaceTest, NewsInLeapsTellsTheSame) {
  After(absl::Seconds(0), 0);
  uint64_t step = 0;
  for (int i = 0; i < 50; ++i) {
    After(absl::Seconds(0.3), step += 3);
    After(absl::Seconds(0.1), step += 1);
    After(absl::Seconds(0.1), step);  // nothing new
    now_ -= absl::Seconds(0.1);
  }
  EXPECT_NEAR(Seconds(pace_), 0.1, 0.001);
}

TEST_F(StepPaceTest, AChangeOfPaceIsFollowed) {
  uint64_t step = 0;
  for (int i = 0; i < 20; ++i) After(absl::Seconds(1), ++step);
  for (int i = 0; i < 100; ++i) After(absl::Seconds(3), ++step);
  EXPECT_NEAR(Seconds(pace_), 3, 0.01);
}

TEST_F(StepPaceTest, AStandstillIsNotAPace) {
  uint64_t step = 0;
  for (int i = 0; i < 20; ++i) After(absl::Seconds(1), ++step);
  After(absl::Hours(1), ++step);
  EXPECT_LT(Seconds(pace_), 1.5);
}

TEST_F(StepPaceTest, AnInterruptedIntervalDoesNotCount) {
  After(absl::Seconds(1), 1);
  pace_.Interrupt();
  After(absl::Minutes(3), 2);
  EXPECT_EQ(pace_.step_time(), absl::ZeroDuration());
  After(absl::Seconds(2), 3);
  EXPECT_EQ(pace_.step_time(), absl::Seconds(2));
}

TEST_F(StepPaceTest, GoingBackKeepsThePace) {
  After(absl::Seconds(0), 10);
  After(absl::Seconds(1), 11);
  After(absl::Minutes(5), 3);
  EXPECT_EQ(pace_.step_time(), absl::Seconds(1));
  After(absl::Seconds(1), 4);
  EXPECT_EQ(pace_.step_time(), absl::Seconds(1));
}

}  // namespace
}  // namespace starling
