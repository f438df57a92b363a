#include "peer/training/training_actor.h"

#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/runtime/check.h"

namespace starling {
namespace {

constexpr double kLossDecay = 0.98;
constexpr absl::Duration kRateWindow = absl::Seconds(1);

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
      cursor_(std::move(cursor)) {}

void TrainingActor::Start() {
  PostOwn([this] {
    AssertHere();
    if (running_ || progress_.finished || !progress_.error.ok()) return;
    running_ = true;
    if (started_ == absl::InfinitePast()) {
      started_ = Now();
      window_start_ = started_;
      window_step_ = progress_.step;
    }
    if (options_.total_steps > 0 && progress_.step >= options_.total_steps) {
      running_ = false;
      progress_.finished = true;
      Report();
      return;
    }
    ScheduleStep(Now());
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
    if (running_) Step();
  };
  if (earliest <= Now()) {
    PostOwn(std::move(step));
  } else {
    ScheduleAt(earliest, std::move(step));
  }
}

void TrainingActor::Step() {
  AssertHere();
  const absl::Time begin = Now();
  const Batch& batch = cursor_.Next();
  if (options_.learn) {
    const absl::StatusOr<double> loss = model_->ComputeGradients(batch);
    if (!loss.ok()) {
      progress_.error = loss.status();
    } else if (!std::isfinite(*loss)) {
      progress_.error = absl::InternalError(
          absl::StrCat("training diverged: the loss of step ", progress_.step + 1, " is ", *loss,
                       "; try a smaller --learning_rate"));
    }
    if (!progress_.error.ok()) {
      running_ = false;
      Report();
      return;
    }
    optimizer_->set_rate_scale(
        RateScaleAt(progress_.step, options_.total_steps, options_.decay_share));
    optimizer_->Step(model_->parameters(), model_->gradients());
    progress_.loss =
        has_loss_ ? kLossDecay * progress_.loss + (1 - kLossDecay) * *loss : *loss;
    has_loss_ = true;
  }
  ++progress_.step;
  progress_.samples += batch.examples;

  if (options_.total_steps > 0 && progress_.step >= options_.total_steps) {
    progress_.finished = true;
    running_ = false;
  }
  const absl::Time end = Now();
  const absl::Duration window = end - window_start_;
  // A run shorter than the window is measured as a whole.
  const bool short_run = progress_.finished && progress_.steps_per_second == 0;
  if (window >= kRateWindow || (short_run && window > absl::ZeroDuration())) {
    progress_.steps_per_second =
        static_cast<double>(progress_.step - window_step_) / absl::ToDoubleSeconds(window);
    window_start_ = end;
    window_step_ = progress_.step;
  }
  Report();
  if (!running_) return;
  ScheduleStep(options_.step_time ? begin + options_.step_time() : end);
}

void TrainingActor::Report() {
  const double elapsed = absl::ToDoubleSeconds(Now() - started_);
  progress_.mixing_share = elapsed > 0 ? absl::ToDoubleSeconds(mixing_time_) / elapsed : 0;
  if (on_progress_) on_progress_(progress_);
}

absl::Span<float> TrainingActor::Shard(size_t offset, size_t elements) {
  STARLING_CHECK(offset <= size_ && elements <= size_ - offset);
  return model_->parameters().subspan(offset, elements);
}

template <typename Work>
bool TrainingActor::PostMixing(Work work) {
  return Post([this, work = std::move(work)]() mutable {
    AssertHere();
    const absl::Time begin = Now();
    work();
    if (running_) mixing_time_ += Now() - begin;
  });
}

void TrainingActor::Replace(Snapshot state, absl::AnyInvocable<void()> done) {
  PostOwn([this, state = std::move(state), done = std::move(done)]() mutable {
    AssertHere();
    STARLING_CHECK(!running_ && state.values.size() == size_ * sizeof(float));
    std::memcpy(model_->parameters().data(), state.values.data(), state.values.size());
    progress_.step = state.step;
    progress_.samples = state.samples;
    done();
  });
}

bool TrainingActor::TakeSnapshot(absl::AnyInvocable<void(Snapshot)> done) {
  return PostMixing([this, done = std::move(done)]() mutable {
    MutableBuffer copy = pool_->Take(size_);
    std::memcpy(copy.floats().data(), model_->parameters().data(), copy.bytes());
    done(Snapshot{std::move(copy).Freeze(), progress_.step, progress_.samples});
  });
}

bool TrainingActor::RespondToMix(std::shared_ptr<const MixRule> rule, size_t offset,
                                 size_t elements, SharedBytes incoming,
                                 absl::AnyInvocable<void(MixAnswer)> done) {
  return PostMixing([this, rule = std::move(rule), offset, elements,
                     incoming = std::move(incoming), done = std::move(done)]() mutable {
    MutableBuffer reply = pool_->Take(elements);
    const MixNorms norms = rule->Respond(
        Shard(offset, elements), incoming.empty() ? absl::Span<const float>() : incoming.floats(),
        reply.floats());
    MixAnswer answer{std::move(reply).Freeze(), norms.squared_distance, norms.squared_delta,
                     progress_.step};
    if (options_.observer != nullptr) options_.observer->OnResponded(offset, answer.reply);
    done(std::move(answer));
  });
}

bool TrainingActor::CommitMix(std::shared_ptr<const MixRule> rule, size_t offset,
                              SharedBytes snapshot, SharedBytes reply,
                              absl::AnyInvocable<void(double)> done) {
  return PostMixing([this, rule = std::move(rule), offset, snapshot = std::move(snapshot),
                     reply = std::move(reply), done = std::move(done)]() mutable {
    const double squared_distance = rule->Commit(Shard(offset, reply.floats().size()),
                                                 snapshot.floats(), reply.floats());
    if (options_.observer != nullptr) options_.observer->OnCommitted(offset, reply);
    done(squared_distance);
  });
}

bool TrainingActor::ApplyDisplacement(size_t offset, SharedBytes average, SharedBytes snapshot,
                                      absl::AnyInvocable<void()> done) {
  return PostMixing([this, offset, average = std::move(average), snapshot = std::move(snapshot),
                     done = std::move(done)]() mutable {
    const absl::Span<const float> target = average.floats();
    const absl::Span<const float> was = snapshot.floats();
    STARLING_CHECK(target.size() == was.size());
    const absl::Span<float> own = Shard(offset, target.size());
    for (size_t i = 0; i < own.size(); ++i) own[i] += target[i] - was[i];
    done();
  });
}

}  // namespace starling
