// Time and threads of a simulated world: one heap of events, ordered by (time, sequence), and
// executors that are named views of it.
//
// An event is a task for one executor. Running it may take no virtual time: Now() is constant within
// an event and jumps between events. Equal times run in the order of scheduling. So a world in which
// everything random comes from one seed happens exactly once, however often it is run.
//
// A view can do what the threads of a real process do:
//   BusyFor   computes for a while: what comes meanwhile waits, in order (a training step);
//   Pause     stops like a process under SIGSTOP; Resume runs what piled up, in order;
//   Kill      dies like a process under SIGKILL: its tasks are destroyed without running.
//
// It also has a clock of its own, a monotonic one as a machine has: it began to count at some time, goes a
// little too fast or too slow, and may leap forward. Now and ScheduleAt go by it; what comes from
// elsewhere arrives by the world's clock (ArriveAt). Both count whole nanoseconds; a time between two
// is rounded up, so that no timer is early.
//
// Single-threaded: everything here, Executor's methods included, belongs to the thread that runs
// the world.

#ifndef STARLING_TESTS_SIM_SIM_EXECUTOR_H_
#define STARLING_TESTS_SIM_SIM_EXECUTOR_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "peer/runtime/executor.h"
#include "tests/sim/trace_hash.h"

namespace starling {

class SimWorld;

// A clock that is not set to the world's.
struct SimClock {
  absl::Duration ahead;
  // Millionths by which it is too fast; those of machines stay within 500, it may be 10,000 at most.
  int64_t drift_ppm = 0;
};

class SimExecutor final : public Executor {
 public:
  absl::Time Now() const override;
  void Post(Task task) override;
  TimerId ScheduleAt(absl::Time when, Task task) override;
  void Cancel(TimerId timer) override;
  bool RunsHere() const override;

  const std::string& name() const { return name_; }

  // Before anything is scheduled by it.
  void SetClock(const SimClock& clock);
  // It leaps forward, and what is due by then is due now.
  void LeapClock(absl::Duration by);
  // Runs at a time of the world: something that comes from outside.
  TimerId ArriveAt(absl::Time when, Task task);

  // No other task begins before now + `duration`. For tasks of this very executor.
  void BusyFor(absl::Duration duration);
  void Pause();
  void Resume();
  // For good. Between two events, or from a task of another executor.
  void Kill();
  bool paused() const { return paused_; }
  bool killed() const { return killed_; }

  // Tasks that could run but for BusyFor or Pause.
  size_t waiting() const { return waiting_.size(); }

  // Lets an onlooker do, between two events, what only a task of this executor may.
  void Visit(absl::FunctionRef<void()> visit);

 private:
  friend class SimWorld;
  struct Waiting {
    TimerId id;
    Task task;
  };

  SimExecutor(SimWorld* world, uint64_t index, std::string name);

  bool Free() const;
  int64_t LocalNanos(int64_t world_nanos) const;
  // The first time of the world at which it is that late here.
  int64_t WorldNanos(int64_t local_nanos) const;
  void Arrive(TimerId id, Task task);
  void RunWaiting();

  SimWorld* const world_;
  const uint64_t index_;
  const std::string name_;
  bool paused_ = false;
  bool killed_ = false;
  int64_t busy_until_;
  bool own_clock_ = false;
  int64_t ahead_nanos_ = 0;
  int64_t drift_ppm_ = 0;
  std::deque<Waiting> waiting_;
};

class SimWorld {
 public:
  SimWorld() : now_(absl::FromUnixNanos(kBeginning)), now_nanos_(kBeginning) {}
  // Kills every executor. What tasks refer to must still be there.
  ~SimWorld();
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  absl::Time now() const { return now_; }

  // Owned by the world, for as long as it lasts.
  SimExecutor* NewExecutor(std::string name);

  // Runs the next event if it is due by `until`; otherwise moves the clock there and returns false.
  bool RunNext(absl::Time until);
  void RunUntil(absl::Time until) {
    while (RunNext(until)) {
    }
  }

  // Events that lie ahead, and that were run.
  size_t pending() const { return slots_.size() - free_slots_.size(); }
  uint64_t events_run() const { return events_run_; }

  // Everything that happens adds to it.
  TraceHash& trace() { return trace_; }

 private:
  friend class SimExecutor;
  // An ordinary day, so that nothing mistakes virtual time for "never".
  static constexpr int64_t kBeginning = 1'600'000'000'000'000'000;
  // An event lies in a slot. Its id is its sequence number and, in the low bits, its slot; so ids are
  // in the order of scheduling, and a cancelled event's slot is not mistaken for its successor's.
  static constexpr int kSlotBits = 22;
  static constexpr TimerId kSlotMask = (TimerId{1} << kSlotBits) - 1;
  struct Event {
    TimerId id = 0;  // 0: the slot is free
    SimExecutor* executor = nullptr;
    Task task;  // null: the executor is free again
    int64_t local_due = 0;  // by the executor's clock; 0: due by the world's
  };
  struct Key {
    int64_t due;
    TimerId id;
    bool operator>(const Key& other) const {
      return due != other.due ? due > other.due : id > other.id;
    }
  };

  TimerId NextId() { return next_sequence_++ << kSlotBits; }
  TimerId Schedule(int64_t when, SimExecutor* executor, Task task, int64_t local_due = 0);
  void Push(int64_t when, TimerId id);
  // Null if it was run or cancelled.
  Event* Find(TimerId id);
  // Empties the slot. The task is the caller's to destroy, for it may own what its destructor
  // touches.
  Task Take(Event& event);
  void DropCancelled();

  absl::Time now_;
  int64_t now_nanos_;
  // Due times of all events, and of some that were cancelled or became due earlier since: a heap, the
  // earliest in front.
  std::vector<Key> due_;
  std::vector<Event> slots_;
  std::vector<uint32_t> free_slots_;
  uint64_t next_sequence_ = 1;
  uint64_t events_run_ = 0;
  SimExecutor* running_ = nullptr;
  std::vector<std::unique_ptr<SimExecutor>> executors_;
  TraceHash trace_;
};

}  // namespace starling

#endif  // STARLING_TESTS_SIM_SIM_EXECUTOR_H_
