// A trainer whose numbers stop being finite: nothing of them leaves it, and it goes on from better ones.

#include <limits>

#include "gtest/gtest.h"
#include "peer/codec/registry.h"
#include "peer/gossip/elastic_mix.h"
#include "peer/topology/everyone.h"
#include "tests/peer/gossip/fake_parameter_owner.h"
#include "tests/peer/training/trainer.h"

namespace starling {
namespace {

using Values = std::vector<float>;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// From call `from` to `to` on the loss is finite, but the gradient is not.
auto BadGradients(int from, int to) {
  return [from, to](int call, absl::Span<float> gradients) {
    if (call >= from && call <= to) gradients[1] = kNan;
    return 1.0;
  };
}

Snapshot Good() {
  Snapshot snapshot;
  snapshot.values = BytesOf({5, 4, 3, 2, 1});
  snapshot.step = 40;
  snapshot.samples = 120;
  return snapshot;
}

class SicknessTest : public ::testing::Test {
 protected:
  void RunTo(Trainer& trainer, uint64_t step) {
    trainer.actor->Start();
    while (trainer.step() < step) trainer.executor.Advance(absl::Milliseconds(1));
  }
  int Snapshots(Trainer& trainer) {
    int taken = 0;
    trainer.actor->TakeSnapshot(PlainCodec(), [&](Snapshot) { ++taken; });
    trainer.executor.RunPosted();
    return taken;
  }
  static const TrainingProgress& Last(const Trainer& trainer) { return trainer.progress.back(); }
};

TEST_F(SicknessTest, NoSnapshotOfBadParametersLeavesAndSteppingStops) {
  Trainer trainer(Paced(absl::Milliseconds(1)));
  trainer.script->compute = BadGradients(3, 3);
  RunTo(trainer, 3);
  EXPECT_TRUE(Last(trainer).error.ok()) << "nobody has looked yet";
  int taken = 0;
  EXPECT_TRUE(trainer.actor->TakeSnapshot(PlainCodec(), [&](Snapshot) { ++taken; }));
  trainer.executor.RunPosted();
  EXPECT_EQ(taken, 0);
  EXPECT_TRUE(absl::IsDataLoss(Last(trainer).error)) << Last(trainer).error;
  EXPECT_NE(Last(trainer).error.message().find("after step 3"), absl::string_view::npos);
  const int calls = trainer.script->calls;
  trainer.executor.Advance(absl::Seconds(1));
  EXPECT_EQ(trainer.script->calls, calls);
  EXPECT_FALSE(trainer.actor->TakeSnapshot(PlainCodec(), [](Snapshot) {})) << "nothing new is taken on";
}

TEST_F(SicknessTest, AStreamOfBadParametersEndsBeforeThem) {
  Trainer trainer(Paced(absl::Milliseconds(1)));
  trainer.script->compute = BadGradients(1, 1);
  RunTo(trainer, 1);
  std::vector<SnapshotPart> parts;
  const auto keep = [&](SnapshotPart part) { parts.push_back(std::move(part)); };
  EXPECT_TRUE(trainer.actor->StreamSnapshot(PlainCodec(), 1, keep));
  trainer.executor.RunPosted();
  ASSERT_EQ(parts.size(), 2);
  EXPECT_EQ(parts[0].to, 1);
  EXPECT_TRUE(parts[1].failed);
  EXPECT_TRUE(absl::IsDataLoss(Last(trainer).error));
  trainer.actor->Replace(Good(), [] {});
  trainer.executor.RunPosted();
  EXPECT_EQ(parts.size(), 2) << "it is over";
}

TEST_F(SicknessTest, AStreamWhoseFirstPieceIsBadBeginsWhenTheParametersAreWell) {
  Trainer trainer(Paced(absl::Milliseconds(1)));
  trainer.script->compute = BadGradients(1, 1);
  RunTo(trainer, 1);
  std::vector<SnapshotPart> parts;
  EXPECT_TRUE(trainer.actor->StreamSnapshot(
      PlainCodec(), 2, [&](SnapshotPart part) { parts.push_back(std::move(part)); }));
  trainer.executor.RunPosted();
  EXPECT_TRUE(parts.empty());
  trainer.actor->Replace(Good(), [] {});
  trainer.executor.RunPosted();
  ASSERT_EQ(parts.size(), 3);
  EXPECT_EQ(parts.back().to, 5);
}

TEST_F(SicknessTest, AReplyOfBadParametersIsNotMade) {
  Trainer trainer(Paced(absl::Milliseconds(1)));
  trainer.script->compute = BadGradients(1, 1);
  RunTo(trainer, 1);
  int answers = 0;
  EXPECT_TRUE(trainer.actor->RespondToMix(MakeElasticMix(0.5), 0, 2, BytesOf({1, 2}), {}, PlainCodec(),
                                          [&](const MixAnswer&) { ++answers; }));
  trainer.executor.RunPosted();
  EXPECT_EQ(answers, 0);
  EXPECT_TRUE(absl::IsDataLoss(Last(trainer).error));
  // It is answered once there is something to answer with.
  trainer.actor->Replace(Good(), [] {});
  trainer.executor.RunPosted();
  EXPECT_EQ(answers, 1);
}

TEST_F(SicknessTest, ALossThatIsNotFiniteIsSeenBeforeTheStep) {
  Trainer trainer(Paced(absl::Milliseconds(1)));
  trainer.script->compute = [](int call, absl::Span<float>) { return call == 3 ? double{kNan} : 1.0; };
  RunTo(trainer, 2);
  trainer.executor.Advance(absl::Milliseconds(5));
  EXPECT_TRUE(absl::IsDataLoss(Last(trainer).error));
  EXPECT_EQ(Last(trainer).step, 2);
}

TEST_F(SicknessTest, WithBetterParametersItGoesOnMoreCarefully) {
  TrainingOptions options = Paced(absl::Milliseconds(1));
  options.rollback_rate = 0.5;
  int optimizers = 0;
  options.new_optimizer = [&] {
    ++optimizers;
    return Trainer::OptimizerNamed("sgd", 5);
  };
  Trainer trainer(std::move(options));
  trainer.script->compute = BadGradients(3, 3);
  RunTo(trainer, 3);
  EXPECT_EQ(Snapshots(trainer), 0);
  trainer.actor->Replace(Good(), [] {});
  trainer.actor->Start();
  trainer.executor.Advance(absl::Milliseconds(1));
  EXPECT_TRUE(Last(trainer).error.ok()) << Last(trainer).error;
  EXPECT_EQ(Last(trainer).step, 41);
  EXPECT_DOUBLE_EQ(Last(trainer).rate_scale, 0.5);
  EXPECT_EQ(optimizers, 1);
  // One step of gradient 1 at half of 0.125.
  EXPECT_EQ(trainer.parameters(), (Values{5 - 0.0625f, 4 - 0.0625f, 3 - 0.0625f, 2 - 0.0625f, 1 - 0.0625f}));
  EXPECT_EQ(Snapshots(trainer), 1);
  trainer.executor.Advance(absl::Milliseconds(10));
  EXPECT_EQ(Last(trainer).step, 51);
}

TEST_F(SicknessTest, BadContributionsToRoundsStayHereAndTheNextRoundIsOne) {
  for (const auto payload : {RoundSpec::Payload::kParameters, RoundSpec::Payload::kGradient}) {
    RoundSpec spec;
    spec.payload = payload;
    spec.topology = MakeEveryone();
    spec.outer = [](size_t, bool) { return MakePlainOuter(); };
    TrainingOptions options = Paced(absl::Milliseconds(1));
    options.rounds = {spec};
    Trainer trainer(std::move(options));
    trainer.script->compute = BadGradients(1, 1);
    trainer.actor->Start();
    trainer.executor.RunPosted();
    EXPECT_TRUE(trainer.begun.empty());
    EXPECT_TRUE(absl::IsDataLoss(Last(trainer).error));
    trainer.actor->Replace(Good(), [] {});
    trainer.actor->Start();
    trainer.executor.Advance(absl::Milliseconds(2));
    ASSERT_EQ(trainer.begun.size(), 1u);
    trainer.actor->FinishRound({0, 1, trainer.begun[0].values, 1});
    trainer.executor.Advance(absl::Milliseconds(2));
    EXPECT_EQ(trainer.begun.size(), 2u);
  }
}

TEST_F(SicknessTest, WhatABackgroundRoundBringsIsNotForTheNewParameters) {
  RoundSpec spec;
  spec.delay = RoundSpec::kBackground;
  spec.topology = MakeEveryone();
  spec.outer = [](size_t, bool) { return MakePlainOuter(); };
  TrainingOptions options = Paced(absl::Milliseconds(1));
  options.rounds = {spec};
  Trainer trainer(std::move(options));
  trainer.script->compute = BadGradients(2, 2);
  RunTo(trainer, 2);
  ASSERT_EQ(trainer.begun.size(), 1u);
  EXPECT_EQ(Snapshots(trainer), 0);
  trainer.actor->Replace(Good(), [] {});
  trainer.executor.RunPosted();
  trainer.actor->FinishRound({0, 1, BytesOf({100, 100, 100, 100, 100}), 1});
  trainer.executor.RunPosted();
  EXPECT_EQ(trainer.parameters(), (Values{5, 4, 3, 2, 1}));
  trainer.actor->Start();
  trainer.executor.Advance(absl::Milliseconds(1));
  EXPECT_EQ(trainer.begun.size(), 2u) << "the next one begins";
}

TEST_F(SicknessTest, ValuesFarOutOfScaleAreRefusedAndChangeNothing) {
  Trainer trainer;
  MixAnswer answer;
  trainer.actor->RespondToMix(MakeElasticMix(0.5), 0, 2, BytesOf({1e6f, 2e6f}), {}, PlainCodec(),
                              [&](MixAnswer given) { answer = std::move(given); });
  absl::StatusOr<double> committed = 0.0;
  trainer.actor->CommitMix(MakeElasticMix(0.5), 3, 2, BytesOf({4, 5}), BytesOf({1e6f, -1e6f}), {}, 0,
                           [&](absl::StatusOr<double> given) { committed = std::move(given); });
  trainer.executor.RunPosted();
  EXPECT_NE(answer.refused.find("out of scale"), std::string::npos) << answer.refused;
  EXPECT_TRUE(answer.reply.empty());
  EXPECT_TRUE(absl::IsOutOfRange(committed.status())) << committed.status();
  EXPECT_EQ(trainer.parameters(), (Values{1, 2, 3, 4, 5}));
}

}  // namespace
}  // namespace starling
