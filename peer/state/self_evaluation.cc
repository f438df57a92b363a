#include "peer/state/self_evaluation.h"

#include <utility>

#include "peer/codec/registry.h"

namespace starling {
namespace {

// Nothing is posted from outside.
constexpr size_t kMailbox = 16;

// How often a finished peer looks whether others have moved its parameters since.
constexpr absl::Duration kWatchMixes = absl::Milliseconds(250);
constexpr absl::Duration kRetry = absl::Milliseconds(200);

}  // namespace

SelfEvaluation::SelfEvaluation(Executor* control, ParameterOwner* parameters,
                               EvaluationActor* evaluator, absl::Duration every,
                               std::function<uint64_t()> mixes,
                               std::function<void(const absl::Status&)> on_error)
    : Actor(control, kMailbox),
      parameters_(parameters),
      evaluator_(evaluator),
      every_(every),
      mixes_(std::move(mixes)),
      on_error_(std::move(on_error)) {}

void SelfEvaluation::Begin() {
  AssertHere();
  began_ = Now();
}

void SelfEvaluation::OnStep() {
  AssertHere();
  if (every_ > absl::ZeroDuration() && Now() - began_ >= every_) Measure();
}

void SelfEvaluation::OnFinished() {
  AssertHere();
  if (std::exchange(finished_, true)) return;
  Measure();
  WatchMixes();
}

void SelfEvaluation::Stop() {
  AssertHere();
  stopped_ = true;
}

void SelfEvaluation::WatchMixes() {
  if (stopped_) return;
  if (!measuring_ && mixes_() != measured_mixes_) Measure();
  ScheduleAfter(kWatchMixes, [this] { WatchMixes(); });
}

void SelfEvaluation::Measure() {
  if (measuring_) return;
  measuring_ = true;
  began_ = Now();
  const bool at_end = finished_;
  const bool posted = parameters_->TakeSnapshot(
      PlainCodec(), Deliver<Snapshot>([this, at_end](Snapshot copy) {
    measured_mixes_ = mixes_();
    const uint64_t step = copy.step;
    const bool accepted = evaluator_->Evaluate(
        copy.values, Deliver<absl::StatusOr<Evaluation>>(
                         [this, at_end, step](absl::StatusOr<Evaluation> result) {
                           OnResult(at_end, step, result);
                         }));
    if (!accepted) OnBusy();
  }));
  if (!posted) OnBusy();
}

void SelfEvaluation::OnBusy() {
  measuring_ = false;
  // The measurement at the end is owed; one on the way is not.
  if (finished_) ScheduleAfter(kRetry, [this] { Measure(); });
}

void SelfEvaluation::OnResult(bool at_end, uint64_t step,
                              const absl::StatusOr<Evaluation>& result) {
  measuring_ = false;
  if (!result.ok()) {
    on_error_(result.status());
    return;
  }
  last_.set_evaluated(true);
  last_.set_test_accuracy(result->accuracy);
  last_.set_test_loss(result->loss);
  last_.set_evaluated_step(step);
  if (!at_end && finished_) Measure();
}

}  // namespace starling
