#include "peer/training/training_actor.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/codec/peak.h"
#include "peer/runtime/check.h"

namespace starling {
namespace {

constexpr double kLossDecay = 0.98;
constexpr absl::Duration kRateWindow = absl::Seconds(1);
// Steps on a push-sum numerator are divided by the weight, but are not made longer than this.
constexpr double kLeastDivisor = 0.25;

size_t ShardCount(size_t elements, size_t shard_elements) {
  return shard_elements == 0 ? 1 : (elements + shard_elements - 1) / shard_elements;
}

}  // namespace

TrainingActor::TrainingActor(Executor* executor, std::unique_ptr<Model> model,
                             std::unique_ptr<Optimizer> optimizer, BatchCursor cursor,
                             BufferPool* pool, TrainingOptions options,
                             std::function<void(const TrainingProgress&)> on_progress)
    : Actor(executor, options.mailbox_capacity),
      model_(std::move(model)),
      optimizer_(std::move(optimizer)),
      pool_(pool),
      options_(std::move(options)),
      on_progress_(std::move(on_progress)),
      size_(model_->parameters().size()),
      cursor_(std::move(cursor)),
      gate_(options_.rounds, size_, !optimizer_->momentum().empty(), pool_),
      tethers_(options_.tethers),
      elastic_(options_.elastic, options_.reference_workers),
      data_gate_(options_.shard_elements, options_.data_gate),
      masses_(ShardCount(size_, options_.shard_elements), 1.0),
      reply_random_(options_.random.Split("replies")),
      batch_size_(cursor_.batch_size()) {
  STARLING_CHECK(gate_.empty() || options_.on_contribution != nullptr);
  if (optimizer_->needs_curvature()) {
    probe_.emplace(options_.random.Split("curvature"), size_);
    hessian_probe_.resize(size_);
  }
}

void TrainingActor::Start() {
  PostOwn([this] {
    AssertHere();
    if (running_ || made_all_ || !progress_.error.ok()) return;
    running_ = true;
    if (started_ == absl::InfinitePast()) {
      started_ = Now();
      window_start_ = started_;
      window_step_ = progress_.step;
    }
    if (options_.total_steps > 0 && progress_.step >= options_.total_steps) {
      running_ = false;
      made_all_ = true;
      progress_.finished = true;
      Report();
      return;
    }
    if (!anchored_) {
      anchored_ = true;
      gate_.Anchor(WorkerState());
    }
    if (!gradient_under_way_ && !at_boundary_) ScheduleStep(Now());
  });
}

void TrainingActor::Stop() {
  PostOwn([this] { running_ = false; });
}

void TrainingActor::ScheduleStep(absl::Time earliest) {
  if (step_scheduled_) return;
  step_scheduled_ = true;
  auto step = [this] {
    step_scheduled_ = false;
    if (running_) ComputeStep();
  };
  if (earliest <= Now()) {
    PostOwn(std::move(step));
  } else {
    ScheduleAt(earliest, std::move(step));
  }
}

RoundGate::Worker TrainingActor::WorkerState() {
  return {model_->parameters(), optimizer_->momentum(), optimizer_->rate(), masses_.front(),
          progress_.loss};
}

void TrainingActor::UpdateRate() {
  double scale = RateScaleAt(progress_.step, options_.total_steps, options_.decay_share) *
                 elastic_.RateScale(progress_.step) * progress_.rate_scale;
  if (gate_.divides_by_mass()) scale /= std::max(masses_.front(), kLeastDivisor);
  optimizer_->set_rate_scale(scale);
}

void TrainingActor::TurnPass() {
  if (!options_.part_of_pass || pass_examples_ < cursor_.part_size()) return;
  ++pass_;
  pass_examples_ = 0;
  cursor_.SetPart(options_.part_of_pass(pass_));
}

absl::StatusOr<double> TrainingActor::ComputeGradients(const Batch& batch) {
  if (!probe_) return model_->ComputeGradients(batch);
  absl::StatusOr<double> loss = model_->ComputeGradientsAndCurvature(
      batch, probe_->Draw(), absl::MakeSpan(hessian_probe_));
  optimizer_->SetCurvature(hessian_probe_);
  return loss;
}

void TrainingActor::FailTraining(absl::Status error) {
  progress_.error = std::move(error);
  running_ = false;
  Report();
}

void TrainingActor::Sicken(std::string what) {
  if (sick_) return;
  sick_ = true;
  gate_.Forget();
  EndHold();
  FailTraining(absl::DataLossError(std::move(what)));
}

bool TrainingActor::CheckParameters() {
  if (AllFinite(model_->parameters())) return true;
  SickenParameters();
  return false;
}

void TrainingActor::SickenParameters() {
  Sicken(absl::StrCat("the parameters after step ", progress_.step, " are not all finite"));
}

void TrainingActor::Mend() {
  progress_.error = absl::OkStatus();
  progress_.rate_scale *= options_.rollback_rate;
  progress_.finished = made_all_ = false;
  has_loss_ = anchored_ = at_boundary_ = false;
  window_start_ = Now();
  window_step_ = progress_.step;
  // What has led to the end of the numbers may still be in there.
  if (options_.new_optimizer != nullptr) optimizer_ = options_.new_optimizer();
  tethers_.DropAnchors();
  sick_ = false;
  for (auto& work : std::exchange(parked_, {})) {
    if (sick_ || !work()) parked_.push_back(std::move(work));
  }
}

void TrainingActor::ComputeStep() {
  AssertHere();
  step_began_ = Now();
  TurnPass();
  const Batch& batch = cursor_.Next();
  step_examples_ = batch.examples;
  if (!options_.learn) {
    CompleteStep({});
    return;
  }
  UpdateRate();
  optimizer_->Prepare(model_->parameters());
  const absl::StatusOr<double> loss = ComputeGradients(batch);
  if (!loss.ok()) return FailTraining(loss.status());
  if (!std::isfinite(*loss)) {
    return Sicken(absl::StrCat("the loss of step ", progress_.step + 1, " is ", *loss));
  }
  progress_.loss = has_loss_ ? kLossDecay * progress_.loss + (1 - kLossDecay) * *loss : *loss;
  has_loss_ = true;
  absl::optional<Contribution> contribution =
      gate_.Gradient(progress_.step + 1, model_->gradients(), progress_.loss);
  if (!contribution) {
    CompleteStep(model_->gradients());
    return;
  }
  if (Contribute(*std::move(contribution))) {
    gradient_under_way_ = true;
    Hold();
  }
}

bool TrainingActor::Contribute(Contribution contribution) {
  if (!AllFinite(contribution.values.floats())) {
    Sicken(absl::StrCat("the contribution to a round after step ", progress_.step, " is not finite"));
    return false;
  }
  options_.on_contribution(std::move(contribution));
  return true;
}

void TrainingActor::CompleteStep(absl::Span<const float> gradient) {
  if (options_.learn) {
    optimizer_->Step(model_->parameters(), gradient);
    tethers_.Pull(model_->parameters());
  }
  ++progress_.step;
  progress_.samples += step_examples_;
  pass_examples_ += step_examples_;

  if (options_.total_steps > 0 && progress_.step >= options_.total_steps) {
    made_all_ = true;
    running_ = false;
  }
  const absl::Time end = Now();
  const absl::Duration window = end - window_start_;
  // A run shorter than the window is measured as a whole.
  const bool short_run = made_all_ && progress_.steps_per_second == 0;
  if (window >= kRateWindow || (short_run && window > absl::ZeroDuration())) {
    progress_.steps_per_second =
        static_cast<double>(progress_.step - window_step_) / absl::ToDoubleSeconds(window);
    window_start_ = end;
    window_step_ = progress_.step;
  }
  at_boundary_ = true;
  PassBoundary();
}

void TrainingActor::PassBoundary() {
  if (!at_boundary_ || sick_) return;
  std::vector<Contribution> begun;
  const bool pass = gate_.Pass(progress_.step, WorkerState(), &begun);
  for (Contribution& contribution : begun) {
    const size_t spec = contribution.spec;
    if (sick_ || !Contribute(std::move(contribution))) gate_.CallOff(spec);
  }
  if (sick_) return;
  if (pass) at_boundary_ = false;
  // After the last step there is none to let pass, but the last rounds must still begin.
  progress_.finished = made_all_ && pass;
  Report();
  if (!running_) return;
  if (!pass) {
    Hold();
    return;
  }
  EndHold();
  ScheduleStep(options_.step_time ? step_began_ + options_.step_time() : Now());
}

void TrainingActor::Hold() { hold_began_ = std::min(hold_began_, Now()); }

void TrainingActor::EndHold() {
  if (hold_began_ == absl::InfiniteFuture()) return;
  waiting_time_ += Now() - hold_began_;
  hold_began_ = absl::InfiniteFuture();
}

void TrainingActor::FinishRound(MixedRound mixed) {
  PostOwn([this, mixed = std::move(mixed)]() mutable {
    AssertHere();
    if (gate_.IsGradient(mixed.spec)) {
      if (!gradient_under_way_) return;
      gradient_under_way_ = false;
      EndHold();
      const absl::Span<const float> mean = mixed.mixed.floats();
      if (running_) CompleteStep(mean.size() == size_ ? mean : model_->gradients());
      return;
    }
    const absl::Time begin = Now();
    gate_.Finish(mixed, WorkerState(), &masses_.front());
    mixing_time_ += Now() - begin;
    // The last round may end after everything else.
    if (progress_.finished) Report();
    PassBoundary();
  });
}

void TrainingActor::SetWorkers(size_t workers, size_t rank) {
  PostOwn([this, workers, rank] {
    AssertHere();
    elastic_.OnWorkers(progress_.step, workers);
    cursor_.SetBatchSize(elastic_.BatchOf(rank, batch_size_));
  });
}

void TrainingActor::Report() {
  const double elapsed = absl::ToDoubleSeconds(Now() - started_);
  progress_.mixing_share = elapsed > 0 ? absl::ToDoubleSeconds(mixing_time_) / elapsed : 0;
  progress_.waiting_share = elapsed > 0 ? absl::ToDoubleSeconds(waiting_time_) / elapsed : 0;
  progress_.mass = std::accumulate(masses_.begin(), masses_.end(), 0.0) /
                   static_cast<double>(masses_.size());
  if (on_progress_) on_progress_(progress_);
}

}  // namespace starling
