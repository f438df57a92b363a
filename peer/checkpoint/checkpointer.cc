#include "peer/checkpoint/checkpointer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/codec/peak.h"
#include "peer/codec/registry.h"

namespace starling {
namespace {

// Nothing is posted from outside.
constexpr size_t kMailbox = 16;

}  // namespace

Checkpointer::Checkpointer(Deps deps, CheckpointStore store, absl::Duration every)
    : Actor(deps.control, kMailbox),
      deps_(std::move(deps)),
      every_(every),
      store_(std::make_shared<CheckpointStore>(std::move(store))) {
  status_.set_enabled(true);
}

void Checkpointer::Load(absl::AnyInvocable<void(absl::StatusOr<Checkpoint>)> done) {
  AssertHere();
  auto home = Deliver<absl::StatusOr<CheckpointStore::Loaded>>(
      [this, done = std::move(done)](absl::StatusOr<CheckpointStore::Loaded> loaded) mutable {
        if (!loaded.ok()) {
          done(loaded.status());
          return;
        }
        for (const std::string& why : loaded->skipped) {
          deps_.log(absl::StrCat("checkpoint passed over: ", why));
        }
        done(std::move(loaded->checkpoint));
      });
  deps_.disk->Post([store = store_, pool = deps_.pool, home = std::move(home)]() mutable {
    home(store->LoadNewest(pool));
  });
}

void Checkpointer::Begin() {
  AssertHere();
  if (std::exchange(begun_, true)) return;
  SaveLater();
}

void Checkpointer::SaveLater() {
  if (every_ > absl::ZeroDuration() && !finishing_) ScheduleAfter(every_, [this] { Save(); });
}

void Checkpointer::Save() {
  if (saving_ || finishing_) return;
  saving_ = true;
  if (!deps_.parameters->TakeSnapshot(
          PlainCodec(), Deliver<Snapshot>([this](Snapshot snapshot) { Write(std::move(snapshot)); }))) {
    saving_ = false;
    SaveLater();
  }
}

void Checkpointer::Write(Snapshot snapshot) {
  if (snapshot.step == saved_step_) {
    saving_ = false;
    EndIfAsked();
    SaveLater();
    return;
  }
  Checkpoint checkpoint;
  checkpoint.step = snapshot.step;
  checkpoint.samples = snapshot.samples;
  checkpoint.saved = deps_.wall_clock();
  checkpoint.values = std::move(snapshot.values);
  auto home = Deliver<absl::Status>(
      [this, step = checkpoint.step, saved = checkpoint.saved](const absl::Status& status) {
        OnWritten(step, saved, status);
      });
  deps_.disk->Post(
      [store = store_, checkpoint = std::move(checkpoint), home = std::move(home)]() mutable {
        home(AllFinite(checkpoint.values.floats())
                 ? store->Save(checkpoint)
                 : absl::FailedPreconditionError(absl::StrCat(
                       "the parameters of step ", checkpoint.step, " are not all finite")));
      });
}

void Checkpointer::OnWritten(uint64_t step, absl::Time saved, const absl::Status& status) {
  saving_ = false;
  if (status.ok()) {
    if (!status_.last_error().empty()) deps_.log("checkpoints are written again");
    saved_step_ = step;
    status_.set_saved(status_.saved() + 1);
    status_.set_last_step(step);
    status_.set_last_saved_unix_seconds(absl::ToUnixSeconds(saved));
    status_.clear_last_error();
  } else {
    if (status_.last_error().empty()) {
      deps_.log(absl::StrCat("no checkpoint: ", status.message(),
                             "; training goes on, the next try is in ",
                             absl::FormatDuration(every_)));
    }
    status_.set_failed(status_.failed() + 1);
    status_.set_last_error(std::string(status.message()));
  }
  EndIfAsked();
  SaveLater();
}

void Checkpointer::Finish(absl::Duration patience, absl::AnyInvocable<void()> done) {
  AssertHere();
  finished_ = std::move(done);
  ScheduleAfter(patience, [this] { EndIfAsked(); });
  if (!saving_) Save();
  finishing_ = true;
  if (!saving_) EndIfAsked();
}

void Checkpointer::EndIfAsked() {
  if (finished_) std::exchange(finished_, nullptr)();
}

v1::CheckpointStatus Checkpointer::Status() const {
  AssertHere();
  return status_;
}

}  // namespace starling
