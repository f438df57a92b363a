// What others ask of a TrainingActor between its steps.

#include <cmath>

#include "gtest/gtest.h"
#include "peer/codec/payload.h"
#include "peer/codec/registry.h"
#include "peer/gossip/elastic_mix.h"
#include "peer/gossip/pull_mix.h"
#include "peer/training/training_actor.h"
#include "tests/peer/gossip/fake_parameter_owner.h"
#include "tests/peer/training/trainer.h"

namespace starling {
namespace {

using Values = std::vector<float>;

Values ValuesOf(const SharedBytes& bytes) {
  return {bytes.floats().begin(), bytes.floats().end()};
}

// A rule that takes its time.
class SlowRule : public MixRule {
 public:
  SlowRule(ManualExecutor* executor, absl::Duration takes) : executor_(executor), takes_(takes) {}
  bool request_has_payload() const override { return false; }
  bool conserves_sum() const override { return true; }
  MixNorms Respond(absl::Span<float>, absl::Span<const float>, absl::Span<float>,
                   MixTerms&) const override {
    executor_->Freeze(takes_);
    return {};
  }
  double Commit(absl::Span<float>, absl::Span<const float>, absl::Span<const float>,
                const MixTerms&) const override {
    return 0;
  }

 private:
  ManualExecutor* const executor_;
  const absl::Duration takes_;
};

struct Recorder : public MixObserver {
  void OnResponded(size_t offset, size_t, const CodedBytes& reply) override {
    responded.emplace_back(offset, ValuesOf(reply.bytes));
  }
  void OnCommitted(size_t offset, size_t, const CodedBytes& reply) override {
    committed.emplace_back(offset, ValuesOf(reply.bytes));
  }
  std::vector<std::pair<size_t, Values>> responded;
  std::vector<std::pair<size_t, Values>> committed;
};

TEST(TrainingActorRequestsTest, ASnapshotIsTakenAtAStepBoundary) {
  Trainer trainer(Paced(absl::Milliseconds(10)));
  trainer.actor->Start();
  trainer.executor.Advance(absl::Milliseconds(15));
  std::vector<Snapshot> snapshots;
  trainer.actor->TakeSnapshot(PlainCodec(), [&](Snapshot snapshot) { snapshots.push_back(std::move(snapshot)); });
  EXPECT_TRUE(snapshots.empty());  // never inside the call
  trainer.executor.Advance(absl::Milliseconds(10));
  ASSERT_EQ(snapshots.size(), 1);
  EXPECT_EQ(snapshots[0].step, 2);
  EXPECT_EQ(snapshots[0].samples, 6);
  // It is a copy: the third step, made since, is not in it.
  EXPECT_EQ(trainer.progress.back().step, 3);
  EXPECT_EQ(ValuesOf(snapshots[0].values), (Values{0.75f, 1.75f, 2.75f, 3.75f, 4.75f}));
}

TEST(TrainingActorRequestsTest, AStreamedSnapshotIsOfOneBoundaryPieceByPiece) {
  Trainer trainer(Paced(absl::Milliseconds(10)));
  trainer.actor->Start();
  trainer.executor.Advance(absl::Milliseconds(15));
  std::vector<SnapshotPart> parts;
  trainer.actor->StreamSnapshot(PlainCodec(), 2,
                                [&](SnapshotPart part) { parts.push_back(std::move(part)); });
  trainer.executor.Advance(absl::Milliseconds(10));
  ASSERT_EQ(parts.size(), 3);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(parts[i].from, 2 * i);
    EXPECT_EQ(parts[i].to, std::min<size_t>(2 * i + 2, 5));
    EXPECT_FALSE(parts[i].failed);
    EXPECT_EQ(parts[i].whole.step, 2);
    EXPECT_EQ(ValuesOf(parts[i].whole.values), (Values{0.75f, 1.75f, 2.75f, 3.75f, 4.75f}));
  }
}

TEST(TrainingActorRequestsTest, RequestsAreServedBetweenStepsThatFollowAtOnce) {
  Trainer trainer;
  trainer.actor->Start();
  trainer.RunUntilStep(5);
  std::vector<uint64_t> steps;
  for (int i = 0; i < 3; ++i) {
    trainer.actor->TakeSnapshot(PlainCodec(), [&](Snapshot snapshot) { steps.push_back(snapshot.step); });
  }
  trainer.RunUntilStep(7);
  // All before the step after next, in the order of arrival.
  ASSERT_EQ(steps.size(), 3);
  for (const uint64_t step : steps) EXPECT_LE(step, 6);
}

TEST(TrainingActorRequestsTest, RequestsAreServedBeforeStartAfterStopAndWhenFinished) {
  TrainingOptions options;
  options.total_steps = 2;
  Trainer trainer(options);
  int served = 0;
  auto ask = [&] {
    EXPECT_TRUE(trainer.actor->TakeSnapshot(PlainCodec(), [&](Snapshot) { ++served; }));
    trainer.executor.RunPosted();
  };
  ask();
  EXPECT_EQ(served, 1);
  trainer.actor->Start();
  trainer.executor.RunPosted();
  ASSERT_TRUE(trainer.progress.back().finished);
  ask();
  EXPECT_EQ(served, 2);
  trainer.actor->Stop();
  ask();
  EXPECT_EQ(served, 3);
}

TEST(TrainingActorRequestsTest, BeyondTheMailboxBoundARequestIsRefusedAndForgotten) {
  TrainingOptions options;
  options.mailbox_capacity = 2;
  Trainer trainer(options);
  int served = 0;
  auto ask = [&] { return trainer.actor->TakeSnapshot(PlainCodec(), [&](Snapshot) { ++served; }); };
  EXPECT_TRUE(ask());
  EXPECT_TRUE(ask());
  EXPECT_FALSE(ask());
  EXPECT_FALSE(trainer.actor->RespondToMix(MakePullMix(), 0, 5, {}, {}, PlainCodec(),
                                           [&](MixAnswer) { ++served; }));
  EXPECT_FALSE(trainer.actor->CommitMix(MakePullMix(), 0, 1, BytesOf({1}), BytesOf({2}), {}, 0,
                                        [&](const absl::StatusOr<double>&) { ++served; }));
  EXPECT_FALSE(
      trainer.actor->ApplyDisplacement(0, BytesOf({1}), BytesOf({2}), [&] { ++served; }));
  trainer.executor.RunPosted();
  EXPECT_EQ(served, 2);
  EXPECT_EQ(trainer.parameters(), (Values{1, 2, 3, 4, 5}));
  EXPECT_TRUE(ask());
  // What the actor is owed is never refused.
  EXPECT_TRUE(ask());
  trainer.actor->Start();
  trainer.RunUntilStep(1);
  EXPECT_EQ(served, 4);
}

TEST(TrainingActorRequestsTest, RespondingMixesOneShardAndTellsWhatItDid) {
  Recorder recorder;
  TrainingOptions options;
  options.observer = &recorder;
  Trainer trainer(options);
  MixAnswer answer;
  trainer.actor->RespondToMix(MakeElasticMix(0.5), 1, 2, BytesOf({0, 7}), {}, PlainCodec(),
                              [&](MixAnswer given) { answer = std::move(given); });
  trainer.executor.RunPosted();
  EXPECT_EQ(trainer.parameters(), (Values{1, 1, 5, 4, 5}));
  EXPECT_EQ(ValuesOf(answer.reply.bytes), (Values{1, -2}));
  EXPECT_DOUBLE_EQ(answer.squared_distance, 4 + 16);
  EXPECT_DOUBLE_EQ(answer.squared_delta, 1 + 4);
  ASSERT_EQ(recorder.responded.size(), 1);
  EXPECT_EQ(recorder.responded[0], (std::pair<size_t, Values>{1, {1, -2}}));
}

// 127 of 127 steps and 1 of them: one byte each, and what the codec made of them is subtracted.
TEST(TrainingActorRequestsTest, WhatIsSubtractedIsWhatTheReplyDecodesTo) {
  Trainer trainer({}, {254, 3});
  MixAnswer answer;
  trainer.actor->RespondToMix(MakeElasticMix(0.5), 0, 2, BytesOf({0, 0}), {},
                              *MakeCodec("int8"),
                              [&](MixAnswer given) { answer = std::move(given); });
  trainer.executor.RunPosted();
  EXPECT_EQ(answer.reply.codec, v1::CODEC_INT8);
  EXPECT_EQ(answer.reply.bytes.size(), 4 + 2);
  Values decoded(2);
  ASSERT_TRUE(DecodePayload(*FindDecoder(answer.reply.codec),
                            {answer.reply.bytes.data(), answer.reply.bytes.size()},
                            absl::MakeSpan(decoded))
                  .ok());
  EXPECT_EQ(decoded, (Values{127, 2}));
  EXPECT_EQ(trainer.parameters(), (Values{127, 1}));
  EXPECT_DOUBLE_EQ(answer.squared_delta, 127 * 127 + 4);
}

TEST(TrainingActorRequestsTest, ASnapshotThroughACodecIsItsEncoding) {
  Trainer trainer({}, {1, 2.5});
  Snapshot taken;
  trainer.actor->TakeSnapshot(*MakeCodec("bf16"),
                              [&](Snapshot snapshot) { taken = std::move(snapshot); });
  trainer.executor.RunPosted();
  EXPECT_EQ(taken.codec, v1::CODEC_BF16);
  EXPECT_EQ(std::string(taken.values.data(), taken.values.size()), "\x80\x3f\x20\x40");
}

TEST(TrainingActorRequestsTest, AnAnswerSaysAtWhichStepItWasMade) {
  TrainingOptions options;
  options.total_steps = 3;
  Trainer trainer(options);
  trainer.actor->Start();
  trainer.executor.RunPosted();
  MixAnswer answer;
  trainer.actor->RespondToMix(MakePullMix(), 4, 1, {}, {}, PlainCodec(),
                              [&](MixAnswer given) { answer = std::move(given); });
  trainer.executor.RunPosted();
  EXPECT_EQ(answer.step, 3);
  EXPECT_EQ(ValuesOf(answer.reply.bytes), (Values{5 - 3 * Trainer::kRate}));
}

TEST(TrainingActorRequestsTest, CommittingAddsTheReplyToOneShard) {
  Recorder recorder;
  TrainingOptions options;
  options.observer = &recorder;
  Trainer trainer(options);
  double squared_distance = 0;
  trainer.actor->CommitMix(MakeElasticMix(0.5), 3, 2, BytesOf({4, 5}), BytesOf({1, -1}), {}, 0,
                           [&](absl::StatusOr<double> given) { squared_distance = *given; });
  trainer.executor.RunPosted();
  EXPECT_EQ(trainer.parameters(), (Values{1, 2, 3, 5, 4}));
  EXPECT_DOUBLE_EQ(squared_distance, 8);
  ASSERT_EQ(recorder.committed.size(), 1);
  EXPECT_EQ(recorder.committed[0], (std::pair<size_t, Values>{3, {1, -1}}));
}

TEST(TrainingActorRequestsTest, ADisplacementIsTheAverageMinusTheSnapshot) {
  Trainer trainer;
  bool done = false;
  trainer.actor->ApplyDisplacement(2, BytesOf({10, 20}), BytesOf({3, 3}), [&] { done = true; });
  trainer.executor.RunPosted();
  EXPECT_TRUE(done);
  EXPECT_EQ(trainer.parameters(), (Values{1, 2, 10, 21, 5}));
}

TEST(TrainingActorRequestsTest, MixingDoesNotEnterTheMomentum) {
  Trainer alone(Paced(absl::Milliseconds(10)), {0, 0}, "nesterov");
  Trainer mixed(Paced(absl::Milliseconds(10)), {0, 0}, "nesterov");
  for (Trainer* trainer : {&alone, &mixed}) {
    trainer->script->compute = [](int call, absl::Span<float> gradients) {
      gradients[0] = static_cast<float>(std::sin(call));
      gradients[1] = static_cast<float>(std::cos(call));
      return 1.0;
    };
    trainer->actor->Start();
  }
  for (int i = 0; i < 20; ++i) {
    const Values before = mixed.parameters();
    mixed.actor->CommitMix(MakeElasticMix(0.5), 0, 2, BytesOf(before), BytesOf({8, -8}), {}, 0,
                           [](const absl::StatusOr<double>&) {});
    mixed.executor.Advance(absl::Milliseconds(10));
    alone.executor.Advance(absl::Milliseconds(10));
  }
  for (size_t i = 0; i < 2; ++i) {
    const float moved = mixed.parameters()[i] - (i == 0 ? 160.0f : -160.0f);
    EXPECT_NEAR(moved, alone.parameters()[i], 1e-4);
  }
}

TEST(TrainingActorRequestsTest, TheShareOfTimeThatMixingTakesIsReported) {
  Trainer trainer(Paced(absl::Milliseconds(10)));
  trainer.actor->Start();
  trainer.executor.Advance(absl::Milliseconds(5));
  for (int i = 0; i < 10; ++i) {
    trainer.actor->RespondToMix(
        std::make_shared<SlowRule>(&trainer.executor, absl::Milliseconds(2)), 0, 1, {}, {},
        PlainCodec(), [](MixAnswer) {});
    trainer.executor.Advance(absl::Milliseconds(10));
  }
  EXPECT_NEAR(trainer.progress.back().mixing_share, 0.2, 0.02);
}

}  // namespace
}  // namespace starling
