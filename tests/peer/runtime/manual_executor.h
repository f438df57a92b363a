// An executor that a test drives by hand: tasks run, and time passes, only inside the calls below.

#ifndef STARLING_TESTS_PEER_RUNTIME_MANUAL_EXECUTOR_H_
#define STARLING_TESTS_PEER_RUNTIME_MANUAL_EXECUTOR_H_

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <utility>

#include "absl/time/time.h"
#include "peer/runtime/executor.h"

namespace starling {

class ManualExecutor : public Executor {
 public:
  absl::Time Now() const override { return now_; }
  void Post(Task task) override { posted_.push_back(std::move(task)); }
  TimerId ScheduleAt(absl::Time when, Task task) override {
    timers_[{when, ++last_timer_}] = std::move(task);
    return last_timer_;
  }
  void Cancel(TimerId timer) override {
    std::erase_if(timers_, [timer](const auto& entry) { return entry.first.second == timer; });
  }
  bool RunsHere() const override { return depth_ > 0; }

  // Runs `task` now, as a task of this executor, and then what it posted.
  template <typename Callable>
  void Do(Callable task) {
    Run(std::move(task));
    RunPosted();
  }
  // Runs the task posted first; false if there is none.
  bool RunOne() {
    if (posted_.empty()) return false;
    Task task = std::move(posted_.front());
    posted_.pop_front();
    Run(std::move(task));
    return true;
  }
  // Runs what is posted, and what that posts.
  void RunPosted() {
    while (RunOne()) {
    }
  }
  // Lets time pass, with timers at their times and everything posted run in between.
  void AdvanceTo(absl::Time end) {
    for (RunPosted(); !timers_.empty() && timers_.begin()->first.first <= end; RunPosted()) {
      now_ = std::max(now_, timers_.begin()->first.first);
      Run(std::move(timers_.extract(timers_.begin()).mapped()));
    }
    now_ = end;
  }
  void Advance(absl::Duration by) { AdvanceTo(now_ + by); }
  // Time passes and nothing runs: the process was stopped.
  void Freeze(absl::Duration by) { now_ += by; }

  size_t timers() const { return timers_.size(); }

 private:
  template <typename Callable>
  void Run(Callable task) {
    ++depth_;
    task();
    --depth_;
  }

  absl::Time now_ = absl::UnixEpoch() + absl::Hours(1);
  int depth_ = 0;
  TimerId last_timer_ = 0;
  std::deque<Task> posted_;
  std::map<std::pair<absl::Time, TimerId>, Task> timers_;
};

}  // namespace starling

#endif  // STARLING_TESTS_PEER_RUNTIME_MANUAL_EXECUTOR_H_
