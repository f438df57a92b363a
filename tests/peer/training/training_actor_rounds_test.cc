// What the rounds of an algorithm do to a TrainingActor: when it waits, and what it makes of the mix.

#include <cmath>

#include "gtest/gtest.h"
#include "peer/codec/registry.h"
#include "peer/gossip/push_sum_mix.h"
#include "peer/gossip/pull_mix.h"
#include "peer/training/training_actor.h"
#include "tests/peer/gossip/fake_parameter_owner.h"
#include "tests/peer/training/trainer.h"

namespace starling {
namespace {

using Values = std::vector<float>;

RoundSpec Parameters(uint64_t period, uint64_t delay = 0) {
  RoundSpec spec;
  spec.period = period;
  spec.delay = delay;
  spec.outer = [](size_t, bool) { return MakePlainOuter(); };
  return spec;
}

RoundSpec Gradients() {
  RoundSpec spec;
  spec.payload = RoundSpec::Payload::kGradient;
  return spec;
}

TrainingOptions With(std::vector<RoundSpec> rounds, uint64_t total_steps = 0) {
  TrainingOptions options;
  options.rounds = std::move(rounds);
  options.total_steps = total_steps;
  // A background round would otherwise never let the posted tasks end.
  options.step_time = [] { return absl::Milliseconds(10); };
  return options;
}

Values ValuesOf(const SharedBytes& bytes) {
  return {bytes.floats().begin(), bytes.floats().end()};
}

// The round that was begun last ends with `mixed`.
void Finish(Trainer& trainer, Values mixed, uint64_t number = 1, double mass = 1) {
  trainer.actor->FinishRound({trainer.begun.back().spec, number, BytesOf(mixed), mass});
  trainer.executor.RunPosted();
}

TEST(TrainingActorRoundsTest, AStepWaitsForTheRoundOfItsGradientAndUsesTheMean) {
  Trainer trainer(With({Gradients()}), {1, 2});
  trainer.script->compute = [](int, absl::Span<float> gradient) {
    gradient[0] = 8;
    return 0.5;
  };
  trainer.actor->Start();
  trainer.executor.Advance(absl::Seconds(2));
  EXPECT_EQ(trainer.step(), 0);
  ASSERT_EQ(trainer.begun.size(), 1);
  EXPECT_EQ(trainer.begun[0].step, 1);
  EXPECT_EQ(trainer.begun[0].loss, 0.5);
  EXPECT_EQ(ValuesOf(trainer.begun[0].values), (Values{8, 1}));
  EXPECT_EQ(trainer.parameters(), (Values{1, 2}));
  Finish(trainer, {4, 2});
  EXPECT_EQ(trainer.step(), 1);
  EXPECT_EQ(trainer.parameters(), (Values{0.5f, 1.75f}));
  EXPECT_DOUBLE_EQ(trainer.progress.back().waiting_share, 1);
  EXPECT_EQ(trainer.begun.size(), 2);  // the next step computes and waits again
}

TEST(TrainingActorRoundsTest, WithoutDelayTheTrainerHoldsAtTheBoundary) {
  Trainer trainer(With({Parameters(2)}), {1, 2});
  trainer.actor->Start();
  trainer.executor.Advance(absl::Seconds(1));
  EXPECT_EQ(trainer.step(), 2);
  ASSERT_EQ(trainer.begun.size(), 1);
  EXPECT_EQ(ValuesOf(trainer.begun[0].values), (Values{0.75f, 1.75f}));
  Finish(trainer, {0, 0});
  EXPECT_EQ(trainer.parameters(), (Values{-0.125f, -0.125f}));  // and goes on at once
  EXPECT_GT(trainer.progress.back().waiting_share, 0.9);
  trainer.executor.Advance(absl::Seconds(1));
  EXPECT_EQ(trainer.step(), 4);
}

TEST(TrainingActorRoundsTest, WithADelayOfOneAStepIsMadeMeanwhileAndKept) {
  Trainer trainer(With({Parameters(1, 1)}), {1, 2});
  trainer.actor->Start();
  trainer.executor.Advance(absl::Seconds(1));
  EXPECT_EQ(trainer.step(), 2);
  ASSERT_EQ(trainer.begun.size(), 1);
  EXPECT_EQ(ValuesOf(trainer.begun[0].values), (Values{0.875f, 1.875f}));
  Finish(trainer, {0.375f, 0.375f});
  // The mix of what was, plus the step made since.
  EXPECT_EQ(ValuesOf(trainer.begun[1].values), (Values{0.25f, 0.25f}));
}

TEST(TrainingActorRoundsTest, ARoundInTheBackgroundNeverHolds) {
  Trainer trainer(With({Parameters(2, RoundSpec::kBackground)}), {1, 2});
  trainer.actor->Start();
  trainer.executor.Advance(absl::Milliseconds(995));
  EXPECT_EQ(trainer.step(), 100);
  EXPECT_EQ(trainer.begun.size(), 1);
  EXPECT_EQ(trainer.progress.back().waiting_share, 0);
  const Values now = trainer.parameters();
  // Half of what it contributed is taken away; the 98 steps since are kept.
  const Values own = ValuesOf(trainer.begun[0].values);
  Finish(trainer, {own[0] / 2, own[1] / 2});
  EXPECT_EQ(trainer.parameters(), (Values{now[0] - own[0] / 2, now[1] - own[1] / 2}));
  trainer.executor.Advance(absl::Milliseconds(20));
  EXPECT_EQ(trainer.begun.size(), 2);
}

TEST(TrainingActorRoundsTest, ATrainerIsFinishedOnceItsLastRoundsHaveBegunAndEnded) {
  Trainer trainer(With({Parameters(2), Parameters(1)}, /*total_steps=*/2), {1, 2});
  trainer.actor->Start();
  trainer.executor.Advance(absl::Milliseconds(5));
  Finish(trainer, {5, 5});  // of the first step
  trainer.executor.Advance(absl::Seconds(1));
  EXPECT_EQ(trainer.step(), 2);
  for (const size_t spec : {0, 1}) {
    EXPECT_FALSE(trainer.progress.back().finished);
    ASSERT_EQ(trainer.begun.back().spec, spec);
    EXPECT_EQ(trainer.begun.back().step, 2);
    Finish(trainer, {7, 7});
  }
  EXPECT_TRUE(trainer.progress.back().finished);
  EXPECT_EQ(trainer.parameters(), (Values{7, 7}));
  trainer.actor->Start();
  trainer.executor.Advance(absl::Seconds(1));
  EXPECT_EQ(trainer.step(), 2);
}

TEST(TrainingActorRoundsTest, StopDuringARoundEndsTheStepsButTheMixIsStillApplied) {
  Trainer trainer(With({Parameters(2)}), {1, 2});
  trainer.actor->Start();
  trainer.executor.Advance(absl::Seconds(1));
  trainer.actor->Stop();
  Finish(trainer, {5, 5});
  EXPECT_EQ(trainer.parameters(), (Values{5, 5}));
  trainer.executor.Advance(absl::Seconds(1));
  EXPECT_EQ(trainer.step(), 2);
  trainer.actor->Start();
  trainer.executor.Advance(absl::Seconds(1));
  EXPECT_EQ(trainer.step(), 4);
}

TEST(TrainingActorRoundsTest, StartWhileTheRoundBeforeIsUnderWayGoesOnWhenItHasEnded) {
  Trainer trainer(With({Parameters(2)}), {1, 2});
  trainer.actor->Start();
  trainer.executor.Advance(absl::Seconds(1));
  trainer.actor->Stop();
  trainer.actor->Start();
  trainer.executor.Advance(absl::Seconds(1));
  EXPECT_EQ(trainer.step(), 2);
  Finish(trainer, {5, 5});
  trainer.executor.Advance(absl::Seconds(1));
  EXPECT_EQ(trainer.step(), 4);
}

TEST(TrainingActorRoundsTest, StopDuringARoundOfGradientsForgetsTheStepAndStartMakesItAnew) {
  Trainer trainer(With({Gradients()}), {1, 2});
  trainer.actor->Start();
  trainer.executor.RunPosted();
  trainer.actor->Stop();
  Finish(trainer, {4, 4});
  EXPECT_EQ(trainer.step(), 0);
  EXPECT_EQ(trainer.parameters(), (Values{1, 2}));
  trainer.actor->Start();
  trainer.executor.RunPosted();
  ASSERT_EQ(trainer.begun.size(), 2);
  EXPECT_EQ(trainer.begun[1].step, 1);
  Finish(trainer, {4, 4});
  EXPECT_EQ(trainer.step(), 1);
}

TEST(TrainingActorRoundsTest, AMixOfAnotherLengthOrThatNobodyAskedForChangesNothing) {
  Trainer trainer(With({Parameters(2), Gradients()}), {1, 2});
  trainer.actor->FinishRound({0, 1, BytesOf({9, 9}), 1});
  trainer.actor->FinishRound({1, 1, BytesOf({9, 9}), 1});
  trainer.executor.RunPosted();
  EXPECT_EQ(trainer.parameters(), (Values{1, 2}));
  EXPECT_EQ(trainer.step(), 0);
  // A mean of another length: the step is made with the own gradient.
  trainer.actor->Start();
  trainer.executor.RunPosted();
  Finish(trainer, {9, 9, 9});
  EXPECT_EQ(trainer.step(), 1);
  EXPECT_EQ(trainer.parameters(), (Values{0.875f, 1.875f}));
}

TEST(TrainingActorRoundsTest, FragmentsTakeTurns) {
  RoundSpec spec = Parameters(1);
  spec.fragments = 2;
  Trainer trainer(With({spec}), {1, 2, 3, 4});
  trainer.actor->Start();
  std::vector<uint64_t> fragments;
  for (uint64_t round = 1; round <= 4; ++round) {
    trainer.executor.Advance(absl::Milliseconds(20));
    ASSERT_EQ(trainer.begun.size(), round);
    fragments.push_back(trainer.begun.back().fragment);
    EXPECT_EQ(trainer.begun.back().values.floats().size(), 2);
    Finish(trainer, {0, 0}, round);
  }
  EXPECT_EQ(fragments, (std::vector<uint64_t>{1, 0, 1, 0}));
}

// Writes down in which order it is called.
class Witness : public Optimizer {
 public:
  explicit Witness(std::vector<std::string>* log) : Optimizer(1), log_(log) {}
  std::string name() const override { return "witness"; }
  void Prepare(absl::Span<float> parameters) override {
    log_->push_back("prepare");
    parameters[0] += 10;
  }
  bool needs_curvature() const override { return true; }
  void SetCurvature(absl::Span<const float> probe) override {
    log_->push_back("curvature");
    curvature_ = probe[0];
  }
  void Step(absl::Span<float> parameters, absl::Span<const float>) override {
    log_->push_back("step");
    parameters[1] = curvature_;
  }

 private:
  std::vector<std::string>* const log_;
  float curvature_ = 0;
};

TEST(TrainingActorRoundsTest, AnOptimizerThatWantsCurvatureGetsItBetweenPrepareAndStep) {
  std::vector<std::string> log;
  Trainer trainer(With({}, 1), {1, 2}, std::make_unique<Witness>(&log));
  trainer.script->curvature = [&](absl::Span<const float> parameters, absl::Span<float> probe) {
    log.push_back("gradient");
    EXPECT_EQ(parameters[0], 11);                // where Prepare has gone
    EXPECT_EQ(std::abs(probe[0]), 1);  // a probe of signs
    probe[0] = 7;
  };
  trainer.actor->Start();
  trainer.executor.RunPosted();
  EXPECT_EQ(log, (std::vector<std::string>{"prepare", "gradient", "curvature", "step"}));
  EXPECT_EQ(trainer.parameters(), (Values{11, 7}));
}

TEST(TrainingActorRoundsTest, APushSumRoundSetsTheMassAndStepsAreDividedByIt) {
  RoundSpec spec = Parameters(1);
  spec.moves_mass = true;
  Trainer trainer(With({spec}), {1, 2});
  trainer.actor->Start();
  trainer.executor.Advance(absl::Milliseconds(20));
  EXPECT_EQ(trainer.begun[0].mass, 1);
  Finish(trainer, {1, 1}, 1, /*mass=*/0.5);
  trainer.executor.Advance(absl::Milliseconds(20));
  EXPECT_EQ(trainer.progress.back().mass, 0.5);
  EXPECT_EQ(trainer.begun[1].mass, 0.5);
  EXPECT_EQ(ValuesOf(trainer.begun[1].values), (Values{0.75f, 0.75f}));  // twice as far
  // However little mass is left, a step is at most four times as long.
  Finish(trainer, {1, 1}, 2, /*mass=*/1e-9);
  trainer.executor.Advance(absl::Milliseconds(20));
  EXPECT_EQ(ValuesOf(trainer.begun[2].values), (Values{0.5f, 0.5f}));
}

TEST(TrainingActorRoundsTest, HalfOfTheMassLeavesWithASnapshotThatIsGivenAndMayBeReturned) {
  TrainingOptions options;
  options.shard_elements = 2;
  Trainer trainer(options, {1, 2, 3});
  Snapshot given;
  auto give = [&] {
    trainer.actor->GiveSnapshot(PlainCodec(), [&](Snapshot snapshot) { given = std::move(snapshot); });
    trainer.executor.RunPosted();
  };
  give();
  EXPECT_EQ(given.masses, (std::vector<double>{0.5, 0.5}));
  give();
  EXPECT_EQ(given.masses, (std::vector<double>{0.25, 0.25}));
  trainer.actor->ReturnMass(/*offset=*/2, 0.75);
  give();
  EXPECT_EQ(given.masses, (std::vector<double>{0.125, 0.5}));
  // Looking is not taking.
  trainer.actor->TakeSnapshot(PlainCodec(), [&](Snapshot snapshot) { given = std::move(snapshot); });
  trainer.executor.RunPosted();
  EXPECT_TRUE(given.masses.empty());
  // What comes in with a request stays with the shard it belongs to.
  trainer.actor->RespondToMix(MakePushSumMix(), 0, 2, BytesOf({1, 2}), MixTerms{0, 3, 99}, PlainCodec(),
                              [](MixAnswer answer) { EXPECT_TRUE(answer.reply.empty()); });
  give();
  EXPECT_EQ(given.masses, (std::vector<double>{(0.125 + 3) / 2, 0.25}));
}

TEST(TrainingActorRoundsTest, AWorkerWithHardlyAnyMassGivesNoneAway) {
  Trainer trainer;
  Snapshot given;
  int gifts = 0;
  for (int i = 0; i < 100; ++i) {
    trainer.actor->GiveSnapshot(PlainCodec(), [&](Snapshot snapshot) { given = std::move(snapshot); });
    trainer.executor.RunPosted();
    gifts += !given.masses.empty();
  }
  EXPECT_LT(gifts, 30);
  EXPECT_GT(gifts, 10);
}

TEST(TrainingActorRoundsTest, TethersPullAfterEveryStepUntilTheirAnchorsAreDropped) {
  TrainingOptions options;
  options.tethers = {0, 0.5};
  options.step_time = [] { return absl::Milliseconds(10); };
  Trainer trainer(options, {1, 2});
  trainer.script->compute = [](int, absl::Span<float> gradient) {
    for (float& value : gradient) value = 0;
    return 1.0;
  };
  trainer.actor->CommitMix(MakePullMix(0.001), 0, 2, BytesOf({9, 9}), BytesOf({9, 9}), {}, 1,
                           [](const absl::StatusOr<double>&) {});
  trainer.actor->Start();
  trainer.executor.RunPosted();
  EXPECT_EQ(trainer.parameters(), (Values{5, 5.5f}));
  trainer.actor->DropAnchors();
  trainer.executor.Advance(absl::Milliseconds(10));
  EXPECT_GT(trainer.step(), 1);
  EXPECT_EQ(trainer.parameters(), (Values{5, 5.5f}));
}

TEST(TrainingActorRoundsTest, TheGlobalBatchIsSharedOutAmongTheWorkers) {
  TrainingOptions options;
  options.elastic.strategy = ElasticOptions::Strategy::kShareBatch;
  options.reference_workers = 2;
  options.step_time = [] { return absl::Milliseconds(10); };
  Trainer trainer(options);
  trainer.actor->Start();
  trainer.executor.RunPosted();
  trainer.actor->SetWorkers(3, 0);
  trainer.executor.Advance(absl::Milliseconds(20));
  trainer.actor->SetWorkers(1, 0);
  trainer.executor.Advance(absl::Milliseconds(20));
  EXPECT_EQ(trainer.script->batches.front(), Trainer::kBatchSize);
  EXPECT_EQ(trainer.script->batches[1], 2);      // six among three
  EXPECT_EQ(trainer.script->batches.back(), 6);  // six for one
}

TEST(TrainingActorRoundsTest, TheStepLengthFollowsTheWorkersWhereTheAlgorithmSaysSo) {
  TrainingOptions options;
  options.elastic.strategy = ElasticOptions::Strategy::kScaleRate;
  options.elastic.ramp = 1;
  options.reference_workers = 2;
  options.step_time = [] { return absl::Milliseconds(10); };
  Trainer trainer(options, {0});
  trainer.actor->Start();
  trainer.executor.RunPosted();
  EXPECT_EQ(trainer.parameters(), (Values{-Trainer::kRate}));
  trainer.actor->SetWorkers(4, 1);
  trainer.executor.Advance(absl::Milliseconds(35));
  const Values before = trainer.parameters();
  trainer.executor.Advance(absl::Milliseconds(10));
  EXPECT_FLOAT_EQ(before[0] - trainer.parameters()[0], 2 * Trainer::kRate);
  EXPECT_EQ(trainer.script->batches.back(), Trainer::kBatchSize);
}

TEST(TrainingActorRoundsTest, AfterEachPassOverItsPartItReadsAnother) {
  TrainingOptions options;
  std::vector<uint64_t> passes;
  options.total_steps = 8;
  options.part_of_pass = [&](uint64_t pass) {
    passes.push_back(pass);
    return std::vector<uint32_t>{7, 8, 9};
  };
  Trainer trainer(options);  // seven examples in threes, then three
  trainer.actor->Start();
  trainer.executor.RunPosted();
  EXPECT_EQ(passes, (std::vector<uint64_t>{1, 2, 3, 4, 5}));
}

}  // namespace
}  // namespace starling
