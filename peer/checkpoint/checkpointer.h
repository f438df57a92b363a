// Saves this peer's parameters now and then, and finds the newest ones at its start.
//
// A save takes a copy at a step boundary and writes it on the disk executor, so that neither the trainer
// nor the control thread ever waits for a disk. At most one save is under way. What cannot be written (a full
// or read-only disk) leaves training running: it is said once, shown in the status, and tried again.
// Parameters that are not all finite are not saved: the checkpoint before them is what one goes back to.
//
// Executor: control; CheckpointStore on the disk executor only. Pointers are not owned and outlive it.

#ifndef STARLING_PEER_CHECKPOINT_CHECKPOINTER_H_
#define STARLING_PEER_CHECKPOINT_CHECKPOINTER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "peer/checkpoint/checkpoint_store.h"
#include "peer/runtime/actor.h"
#include "peer/runtime/buffer_pool.h"
#include "peer/training/parameter_owner.h"
#include "proto/status.pb.h"

namespace starling {

class Checkpointer : public Actor {
 public:
  struct Deps {
    Executor* control = nullptr;
    Executor* disk = nullptr;
    ParameterOwner* parameters = nullptr;
    BufferPool* pool = nullptr;
    // The wall clock: times in manifests are for people.
    std::function<absl::Time()> wall_clock;
    std::function<void(const std::string&)> log;
  };

  // `every`: from the end of one save to the next. Up: less disk; down: less is lost by a crash.
  Checkpointer(Deps deps, CheckpointStore store, absl::Duration every);

  // The newest intact checkpoint; NOT_FOUND: none.
  void Load(absl::AnyInvocable<void(absl::StatusOr<Checkpoint>)> done);

  // Saves from now on. A second call changes nothing.
  void Begin();
  // One more save, if anything was trained since the last; then `done`, whatever came of it, and after
  // `patience` in any case. No save begins afterwards.
  void Finish(absl::Duration patience, absl::AnyInvocable<void()> done);

  v1::CheckpointStatus Status() const;

 private:
  void SaveLater();
  void Save();
  void Write(Snapshot snapshot);
  void OnWritten(uint64_t step, absl::Time saved, const absl::Status& status);
  void EndIfAsked();

  // Constant after construction.
  const Deps deps_;
  const absl::Duration every_;
  // Tasks on the disk executor share it, for they may outlive this actor.
  const std::shared_ptr<CheckpointStore> store_;

  bool begun_ = false;
  bool saving_ = false;
  bool finishing_ = false;
  uint64_t saved_step_ = 0;
  v1::CheckpointStatus status_;
  absl::AnyInvocable<void()> finished_;
};

}  // namespace starling

#endif  // STARLING_PEER_CHECKPOINT_CHECKPOINTER_H_
