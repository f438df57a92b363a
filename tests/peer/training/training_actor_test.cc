#include "peer/training/training_actor.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"
#include "tests/peer/gossip/fake_parameter_owner.h"
#include "tests/peer/training/trainer.h"

namespace starling {
namespace {

using Values = std::vector<float>;

TEST(TrainingActorTest, ItMakesTotalStepsAndStops) {
  TrainingOptions options;
  options.total_steps = 4;
  Trainer trainer(options);
  trainer.actor->Start();
  trainer.executor.RunPosted();
  ASSERT_EQ(trainer.progress.size(), 4);
  for (uint64_t step = 1; step <= 4; ++step) {
    const TrainingProgress& progress = trainer.progress[step - 1];
    EXPECT_EQ(progress.step, step);
    EXPECT_EQ(progress.samples, step * Trainer::kBatchSize);
    EXPECT_EQ(progress.finished, step == 4);
    EXPECT_TRUE(progress.error.ok());
  }
  // Four steps of 1/8 along a gradient of ones.
  EXPECT_EQ(trainer.parameters(), (Values{0.5f, 1.5f, 2.5f, 3.5f, 4.5f}));
  trainer.actor->Start();
  trainer.executor.RunPosted();
  EXPECT_EQ(trainer.progress.size(), 4);
}

TEST(TrainingActorTest, WithoutTotalStepsItTrainsUntilItIsStoppedAndMayGoOn) {
  Trainer trainer(Paced(absl::Milliseconds(10)));
  trainer.actor->Start();
  trainer.executor.Advance(absl::Milliseconds(95));
  EXPECT_EQ(trainer.progress.back().step, 10);
  trainer.actor->Stop();
  trainer.executor.Advance(absl::Seconds(1));
  EXPECT_EQ(trainer.progress.back().step, 10);
  EXPECT_FALSE(trainer.progress.back().finished);
  trainer.actor->Start();
  trainer.actor->Start();
  trainer.executor.Advance(absl::Milliseconds(95));
  EXPECT_EQ(trainer.progress.back().step, 20);
}

TEST(TrainingActorTest, NoStepIsMadeBeforeStart) {
  Trainer trainer;
  trainer.executor.Advance(absl::Seconds(1));
  EXPECT_TRUE(trainer.progress.empty());
  EXPECT_EQ(trainer.script->calls, 0);
}

TEST(TrainingActorTest, StepsBeginNoMoreOftenThanTheStepTime) {
  Trainer trainer(Paced(absl::Milliseconds(10)));
  std::vector<absl::Time> begins;
  trainer.script->compute = [&](int, absl::Span<float>) {
    begins.push_back(trainer.executor.Now());
    return 1.0;
  };
  trainer.actor->Start();
  trainer.executor.Advance(absl::Milliseconds(35));
  ASSERT_EQ(begins.size(), 4);
  for (size_t i = 1; i < begins.size(); ++i) {
    EXPECT_EQ(begins[i] - begins[i - 1], absl::Milliseconds(10));
  }
}

TEST(TrainingActorTest, AStepThatTookLongerThanTheStepTimeIsFollowedAtOnce) {
  Trainer trainer(Paced(absl::Milliseconds(10)));
  std::vector<absl::Time> begins;
  trainer.script->compute = [&](int call, absl::Span<float>) {
    begins.push_back(trainer.executor.Now());
    if (call == 1) trainer.executor.Freeze(absl::Milliseconds(25));
    return 1.0;
  };
  trainer.actor->Start();
  trainer.executor.RunPosted();
  ASSERT_EQ(begins.size(), 2);
  EXPECT_EQ(begins[1] - begins[0], absl::Milliseconds(25));
}

TEST(TrainingActorTest, TheRateIsThatOfTheLastSecond) {
  Trainer trainer(Paced(absl::Milliseconds(4)));
  trainer.actor->Start();
  trainer.executor.Advance(absl::Milliseconds(2100));
  EXPECT_NEAR(trainer.progress.back().steps_per_second, 250, 2);
}

TEST(TrainingActorTest, TheRateOfAShortRunIsThatOfTheWhole) {
  TrainingOptions options = Paced(absl::Milliseconds(10));
  options.total_steps = 11;
  Trainer trainer(options);
  trainer.actor->Start();
  trainer.executor.Advance(absl::Milliseconds(500));
  ASSERT_TRUE(trainer.progress.back().finished);
  // Eleven steps, of which the last one took no time here.
  EXPECT_NEAR(trainer.progress.back().steps_per_second, 110, 1e-6);
}

TEST(TrainingActorTest, TheLossIsARunningMean) {
  Trainer trainer(Paced(absl::Milliseconds(1)));
  trainer.script->compute = [](int call, absl::Span<float>) { return call == 1 ? 5.0 : 1.0; };
  trainer.actor->Start();
  trainer.RunUntilStep(1);
  EXPECT_DOUBLE_EQ(trainer.progress.back().loss, 5);
  trainer.executor.Advance(absl::Milliseconds(1));
  EXPECT_NEAR(trainer.progress.back().loss, 0.98 * 5 + 0.02 * 1, 1e-12);
}

TEST(TrainingActorTest, ALossThatIsNotFiniteEndsTrainingBeforeItTouchesTheParameters) {
  for (const double loss : {std::numeric_limits<double>::quiet_NaN(),
                            std::numeric_limits<double>::infinity()}) {
    Trainer trainer;
    trainer.script->compute = [loss](int call, absl::Span<float> gradients) {
      if (call < 3) return 1.0;
      for (float& gradient : gradients) gradient = std::numeric_limits<float>::quiet_NaN();
      return loss;
    };
    trainer.actor->Start();
    trainer.executor.RunPosted();
    const TrainingProgress& last = trainer.progress.back();
    EXPECT_TRUE(absl::IsDataLoss(last.error)) << last.error;
    EXPECT_NE(last.error.message().find("step 3"), absl::string_view::npos) << last.error;
    EXPECT_EQ(last.step, 2);
    EXPECT_FALSE(last.finished);
    EXPECT_DOUBLE_EQ(last.loss, 1);
    EXPECT_EQ(trainer.parameters(), (Values{0.75f, 1.75f, 2.75f, 3.75f, 4.75f}));
    const size_t reports = trainer.progress.size();
    trainer.actor->Start();
    trainer.executor.Advance(absl::Seconds(1));
    EXPECT_EQ(trainer.progress.size(), reports);
  }
}

TEST(TrainingActorTest, AModelThatFailsEndsTrainingWithItsError) {
  Trainer trainer;
  trainer.script->compute = [](int, absl::Span<float>) -> absl::StatusOr<double> {
    return absl::InternalError("out of tensors");
  };
  trainer.actor->Start();
  trainer.executor.RunPosted();
  ASSERT_EQ(trainer.progress.size(), 1);
  EXPECT_EQ(trainer.progress[0].error, absl::InternalError("out of tensors"));
  EXPECT_EQ(trainer.progress[0].step, 0);
}

TEST(TrainingActorTest, WithoutLearningStepsCountAndChangeNothing) {
  TrainingOptions options;
  options.total_steps = 3;
  options.learn = false;
  Trainer trainer(options);
  trainer.actor->Start();
  trainer.executor.RunPosted();
  EXPECT_EQ(trainer.progress.back().step, 3);
  EXPECT_EQ(trainer.progress.back().samples, 9);
  EXPECT_TRUE(trainer.progress.back().finished);
  EXPECT_EQ(trainer.script->calls, 0);
  EXPECT_EQ(trainer.parameters(), (Values{1, 2, 3, 4, 5}));
}

TEST(TrainingActorTest, ANewcomerGoesOnFromItsDonorsState) {
  TrainingOptions options;
  options.total_steps = 102;
  Trainer trainer(options);
  bool replaced = false;
  trainer.actor->Replace(Snapshot{BytesOf({5, 4, 3, 2, 1}), 100, 1000}, [&] { replaced = true; });
  trainer.executor.RunPosted();
  EXPECT_TRUE(replaced);
  EXPECT_EQ(trainer.parameters(), (Values{5, 4, 3, 2, 1}));
  trainer.actor->Start();
  trainer.executor.RunPosted();
  ASSERT_EQ(trainer.progress.size(), 2);
  EXPECT_EQ(trainer.progress[0].step, 101);
  EXPECT_EQ(trainer.progress[0].samples, 1000 + Trainer::kBatchSize);
  EXPECT_TRUE(trainer.progress[1].finished);
  EXPECT_EQ(trainer.parameters(), (Values{4.75f, 3.75f, 2.75f, 1.75f, 0.75f}));
}

TEST(TrainingActorTest, ANewcomerToAFinishedRunIsFinishedAtOnce) {
  TrainingOptions options;
  options.total_steps = 100;
  Trainer trainer(options);
  trainer.actor->Replace(Snapshot{BytesOf({5, 4, 3, 2, 1}), 100, 1000}, [] {});
  trainer.actor->Start();
  trainer.executor.RunPosted();
  ASSERT_EQ(trainer.progress.size(), 1);
  EXPECT_TRUE(trainer.progress[0].finished);
  EXPECT_EQ(trainer.progress[0].step, 100);
  EXPECT_EQ(trainer.script->calls, 0);
}

TEST(TrainingActorTest, TheLearningRateFallsOverTheLastShareOfTheRun) {
  TrainingOptions options;
  options.total_steps = 8;
  options.decay_share = 0.5;
  Trainer trainer(options, {0});
  trainer.actor->Start();
  trainer.executor.RunPosted();
  // Factors: 1 five times (half of the run, and its end), then 3/4, 1/2, 1/4.
  EXPECT_EQ(trainer.parameters(), (Values{-6.5f * Trainer::kRate}));
}

}  // namespace
}  // namespace starling
