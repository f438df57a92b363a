// The one seam to time and threads. Nothing of ours reads a clock, sleeps or starts a thread except
// through an Executor; the simulator is just another implementation of it.
//
// An executor runs the tasks it is given one at a time, in the order of posting (timers: in the
// order of their times, equal times in the order of scheduling). All methods may be called from any
// thread. Implementations: AsioExecutor (a strand), SimExecutor (an event heap).

#ifndef STARLING_PEER_RUNTIME_EXECUTOR_H_
#define STARLING_PEER_RUNTIME_EXECUTOR_H_

#include <cstdint>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"

namespace starling {

using Task = absl::AnyInvocable<void()>;
// 0 is never given out.
using TimerId = uint64_t;

class Executor {
 public:
  virtual ~Executor() = default;

  // A monotonic reading; only differences mean anything, wall-clock jumps do not move it.
  virtual absl::Time Now() const = 0;

  // Never blocks, never runs `task` inside the call. Tasks posted after the executor was stopped
  // are destroyed without running.
  virtual void Post(Task task) = 0;

  // Runs `task` once, not before `when`.
  virtual TimerId ScheduleAt(absl::Time when, Task task) = 0;

  // After Cancel returns on the executor itself, the task will not run. Called from elsewhere it may
  // be running. Unknown and finished ids are ignored.
  virtual void Cancel(TimerId timer) = 0;

  // True if the caller is running inside a task of this executor.
  virtual bool RunsHere() const = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_EXECUTOR_H_
