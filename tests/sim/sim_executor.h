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
// Single-threaded: everything here, Executor's methods included, belongs to the thread that runs
// the world.

#ifndef STARLING_TESTS_SIM_SIM_EXECUTOR_H_
#define STARLING_TESTS_SIM_SIM_EXECUTOR_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "peer/runtime/executor.h"
#include "tests/sim/trace_hash.h"

namespace starling {

class SimWorld;

class SimExecutor final : public Executor {
 public:
  absl::Time Now() const override;
  void Post(Task task) override;
  TimerId ScheduleAt(absl::Time when, Task task) override;
  void Cancel(TimerId timer) override;
  bool RunsHere() const override;

  const std::string& name() const { return name_; }

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

  SimExecutor(SimWorld* world, uint64_t index, std::string name)
      : world_(world), index_(index), name_(std::move(name)) {}

  bool Free() const;
  void Arrive(TimerId id, Task task);
  void RunWaiting();

  SimWorld* const world_;
  const uint64_t index_;
  const std::string name_;
  bool paused_ = false;
  bool killed_ = false;
  absl::Time busy_until_ = absl::InfinitePast();
  std::deque<Waiting> waiting_;
};

class SimWorld {
 public:
  // An ordinary day, so that nothing mistakes virtual time for "never".
  SimWorld() : now_(absl::FromUnixSeconds(1'600'000'000)) {}
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
  // An event lies in a slot. Its id is its sequence number and, in the low bits, its slot; so ids are
  // in the order of scheduling, and a cancelled event's slot is not mistaken for its successor's.
  static constexpr int kSlotBits = 22;
  static constexpr TimerId kSlotMask = (TimerId{1} << kSlotBits) - 1;
  struct Event {
    TimerId id = 0;  // 0: the slot is free
    SimExecutor* executor = nullptr;
    Task task;  // null: the executor is free again
  };
  using Key = std::pair<absl::Time, TimerId>;

  TimerId NextId() { return next_sequence_++ << kSlotBits; }
  TimerId Schedule(absl::Time when, SimExecutor* executor, Task task);
  // Null if it was run or cancelled.
  Event* Find(TimerId id);
  // Empties the slot. The task is the caller's to destroy, for it may own what its destructor
  // touches.
  Task Take(Event& event);
  void DropCancelled();

  absl::Time now_;
  // Due times of all events, and of some that were cancelled since: a heap, the earliest in front.
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
