// The real executors: threads that run an Asio io_context, and strands on them.

#ifndef STARLING_PEER_RUNTIME_ASIO_EXECUTOR_H_
#define STARLING_PEER_RUNTIME_ASIO_EXECUTOR_H_

#include <memory>
#include <string>

#include "peer/runtime/executor.h"

namespace starling {

// Named threads with one event loop. Join() or the destructor stops them after their current tasks;
// tasks still queued are destroyed without running.
class AsioThreads {
 public:
  // `name` (15 characters at most) shows up in ps and gdb.
  AsioThreads(const std::string& name, int threads);
  ~AsioThreads();

  // Not from one of the threads themselves.
  void Join();

 private:
  friend class AsioExecutor;
  class Impl;
  const std::shared_ptr<Impl> impl_;
};

// A strand on `threads`: tasks run one at a time. With a single thread it is that thread. The
// destructor destroys what still waits; called from elsewhere than a task it first waits for the
// one that runs.
class AsioExecutor : public Executor {
 public:
  explicit AsioExecutor(AsioThreads& threads);
  ~AsioExecutor() override;

  absl::Time Now() const override;
  void Post(Task task) override;
  TimerId ScheduleAt(absl::Time when, Task task) override;
  void Cancel(TimerId timer) override;
  bool RunsHere() const override;

 private:
  friend class AsioThreads;
  class Impl;
  const std::shared_ptr<Impl> impl_;
};

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_ASIO_EXECUTOR_H_
