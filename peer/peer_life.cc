// The course of a Peer's life: where its parameters come from at the start and after a roll-back, when it
// begins to train, how it ends.

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/peer.h"
#include "peer/runtime/failpoint.h"

namespace starling {
namespace {

// The own checkpoint is used, not a donor's copy, if it is at most so many steps from the swarm, or this part
// of its steps.
constexpr uint64_t kFreshSteps = 100;
constexpr uint64_t kFreshShare = 50;

// The checkpoint at departure may take this long.
constexpr absl::Duration kLastSave = absl::Seconds(10);

// Rounds need everybody from the first on: at the start of a run steps wait this long, or for two ping
// intervals, for the other workers to be known as training. Up: patience with slow starters; down: a worker that never comes
// delays the start less.
constexpr absl::Duration kMusterWait = absl::Seconds(3);

// After a roll-back so many steps beyond the bad place are progress: the next one counts as the first.
constexpr uint64_t kWell = 100;

}  // namespace

void Peer::Start(absl::AnyInvocable<void(absl::Status)> ended) {
  AssertHere();
  ended_ = std::move(ended);
  started_at_ = Now();
  transport_.SetDelegate(&router_);
  LookForParameters();
  membership_.Start();
}

void Peer::LookForParameters() {
  if (checkpointer_ == nullptr) {
    Synchronise();
    return;
  }
  checkpointer_->Load([this](absl::StatusOr<Checkpoint> checkpoint) {
    if (leaving_) return;
    if (checkpoint.ok()) checkpoint_ = *std::move(checkpoint);
    if (rolling_back_ && CheckpointIsFresh()) {
      Resume("it is as fresh as the swarm");
    } else {
      Synchronise();
    }
  });
}

void Peer::Synchronise() {
  // It hears of a view after us, who may decide to copy somebody because of that view.
  joiner_.OnSwarm(swarm_.training, /*settled=*/false);
  joiner_.Start(ControlTemplate(), [this](absl::StatusOr<absl::optional<Snapshot>> state) {
    OnSynced(std::move(state));
  });
}

// Rounds average what is equal or nearly so, and have no force that pulls an older model near; exchanges do.
bool Peer::CheckpointIsFresh() const {
  if (!checkpoint_ || !makes_exchanges_ || swarm_.farthest_step == 0) return false;
  const uint64_t fresh = std::max(kFreshSteps, swarm_.farthest_step / kFreshShare);
  const uint64_t apart = checkpoint_->step > swarm_.farthest_step
                             ? checkpoint_->step - swarm_.farthest_step
                             : swarm_.farthest_step - checkpoint_->step;
  return apart <= fresh;
}

void Peer::Resume(absl::string_view why) {
  log_(absl::StrCat("going on from the own checkpoint of step ", checkpoint_->step, ": ", why));
  Snapshot snapshot;
  snapshot.values = std::move(checkpoint_->values);
  snapshot.step = checkpoint_->step;
  snapshot.samples = checkpoint_->samples;
  checkpoint_.reset();
  SetPhase(v1::PHASE_WAITING);
  TakeOver(std::move(snapshot));
}

void Peer::TakeOver(Snapshot snapshot) {
  progress_.step = snapshot.step;
  progress_.samples = snapshot.samples;
  joined_step_ = snapshot.step;
  training_.Replace(std::move(snapshot), Deliver<>([this] {
                      synced_ = true;
                      rolling_back_ = false;
                      MaybeTrain();
                    }));
}

void Peer::OnSynced(absl::StatusOr<absl::optional<Snapshot>> state) {
  if (leaving_) return;
  if (!state.ok()) {
    Fail(state.status());
    return;
  }
  if (!state->has_value() && checkpoint_) {
    Resume("nobody else trains");
    return;
  }
  checkpoint_.reset();
  if (!state->has_value() && rolling_back_) {
    Fail(absl::InternalError(absl::StrCat(
        "training diverged: ", recovery_.last_reason(),
        ", and there is neither a checkpoint to go back to nor another peer to copy; try a smaller "
        "--learning_rate; checkpoints are kept in --state_dir, one every --checkpoint_every")));
    return;
  }
  if (!state->has_value()) {
    log_("nobody trains yet: starting from the parameters of the seed");
    synced_ = true;
    from_seed_ = true;
    SetPhase(v1::PHASE_WAITING);
    MaybeTrain();
    return;
  }
  SetPhase(v1::PHASE_SYNCING);
  // Whoever had parameters to give was training: the swarm has started.
  swarm_started_ = true;
  TakeOver(**std::move(state));
}

void Peer::MaybeTrain() {
  if (!synced_ || !swarm_started_ || leaving_ ||
      (phase_ != v1::PHASE_STARTING && phase_ != v1::PHASE_SYNCING &&
       phase_ != v1::PHASE_WAITING)) {
    return;
  }
  if (from_seed_ && swarm_.farthest_step > 0) {
    // The swarm was found only after we had settled for the seed: catch up with it first.
    CatchUp();
    return;
  }
  SetPhase(v1::PHASE_TRAINING);
  evaluation_.Begin();
  if (checkpointer_ != nullptr) checkpointer_->Begin();
  router_.SetServingState(true);
  gossip_.Begin(joined_step_);
  gossip_.SetAccepting(true);
  membership_.SetLocal(progress_.step, MemberState());
  if (options_.centre) {
    log_("holding the centre: this peer answers exchanges and does not train");
    rounds_.SetFinished();
    return;
  }
  // Also with a copy of somebody who was here a moment earlier and has not stepped either.
  if (has_rounds_ && joined_step_ == 0 && swarm_.farthest_step == 0) {
    ScheduleAfter(std::max(kMusterWait, 2 * options_.membership.ping_interval),
                  [this] { StartSteps(); });
    StartStepsIfMustered();
  } else {
    StartSteps();
  }
}

void Peer::StartStepsIfMustered() {
  if (swarm_.still_training + 1 >= options_.config.data().parts()) StartSteps();
}

void Peer::CatchUp() {
  from_seed_ = false;
  synced_ = false;
  Synchronise();
}

void Peer::StartSteps() {
  if (stepping_ || phase_ != v1::PHASE_TRAINING || options_.centre) return;
  if (from_seed_ && has_rounds_ && swarm_.farthest_step > ahead_) {
    // The others mustered without us and are far ahead.
    StepAside();
    CatchUp();
    return;
  }
  stepping_ = true;
  training_.Start();
}

// The trainer has stopped and gives nothing away. From here on it is as at a start, but that the swarm runs.
void Peer::RollBack(std::string what) {
  if (rolling_back_ || leaving_) return;
  const bool well = progress_.step >= joined_step_ + kWell && progress_.step > recovery_.last_step();
  recovery_.set_in_a_row(recovery_.rollbacks() == 0 || well ? 1 : recovery_.in_a_row() + 1);
  recovery_.set_last_reason(what);
  recovery_.set_last_step(progress_.step);
  // There is nothing to keep of it.
  synced_ = false;
  if (recovery_.in_a_row() > options_.rollbacks) {
    Fail(absl::InternalError(absl::StrCat(
        "training diverged: ", what, ", after going back ", options_.rollbacks,
        " times in a row; try a smaller --learning_rate")));
    return;
  }
  recovery_.set_rollbacks(recovery_.rollbacks() + 1);
  NoteError(absl::DataLossError(absl::StrCat(
      what, "; going back to better parameters (", recovery_.in_a_row(), " of ", options_.rollbacks,
      " times in a row), and on with ", options_.rollback_rate, " times the learning rate")));
  rolling_back_ = true;
  from_seed_ = false;
  stepping_ = false;
  StepAside();
  LookForParameters();
}

void Peer::StepAside() {
  SetPhase(v1::PHASE_SYNCING);
  router_.SetServingState(false);
  gossip_.SetAccepting(false);
  membership_.SetLocal(progress_.step, MemberState());
}

void Peer::OnProgress(const TrainingProgress& progress) {
  progress_ = progress;
  if (absl::IsDataLoss(progress.error)) {
    RollBack(std::string(progress.error.message()));
    return;
  }
  if (!progress.error.ok()) {
    Fail(progress.error);
    return;
  }
  if (phase_ != v1::PHASE_TRAINING) return;
  RefreshView();
  gossip_.OnStep(progress.step, progress.loss);
  if (progress.finished) {
    rounds_.SetFinished();
    if (final_merge_) {
      // What exchanges would still change now, the merge would not know of.
      gossip_.SetAccepting(false);
      log_("all steps made: waiting for the final merge");
    } else {
      Finish();
    }
  } else {
    evaluation_.OnStep();
  }
  membership_.SetLocal(progress.step, MemberState(), progress.loss);
}

void Peer::Finish() {
  if (phase_ != v1::PHASE_TRAINING) return;
  SetPhase(v1::PHASE_FINISHED);
  evaluation_.OnFinished();
  membership_.SetLocal(progress_.step, MemberState(), progress_.loss);
}

void Peer::Leave(std::string reason, absl::AnyInvocable<void()> done) {
  AssertHere();
  if (leaving_) return;
  leaving_ = true;
  log_(absl::StrCat("leaving: ", reason));
  SetPhase(v1::PHASE_LEAVING);
  training_.Stop();
  evaluation_.Stop();
  joiner_.Stop();
  averaging_.Stop();
  rounds_.Stop();
  Failpoint("leaving.begun");
  auto say_goodbye = [this, reason = std::move(reason), done = std::move(done)]() mutable {
    Failpoint("leaving.drained");
    membership_.SetLocal(progress_.step, v1::PEER_STATE_LEFT);
    membership_.Leave(std::move(reason), std::move(done));
  };
  gossip_.Drain(Now() + options_.drain, [this, say_goodbye = std::move(say_goodbye)]() mutable {
    if (checkpointer_ == nullptr || !synced_) {
      say_goodbye();
    } else {
      checkpointer_->Finish(kLastSave, std::move(say_goodbye));
    }
  });
}

void Peer::Fail(absl::Status status) {
  if (leaving_) return;
  NoteError(status);
  if (ended_) {
    auto ended = std::move(ended_);
    ended_ = nullptr;
    Leave(std::string(status.message()),
          [ended = std::move(ended), status]() mutable { ended(status); });
  }
}

}  // namespace starling
