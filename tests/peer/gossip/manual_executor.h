// An executor that a test drives by hand: tasks run, and time passes, only inside the calls below.

#ifndef STARLING_TESTS_PEER_GOSSIP_MANUAL_EXECUTOR_H_
#define STARLING_TESTS_PEER_GOSSIP_MANUAL_EXECUTOR_H_

#include <algorithm>
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

  // Runs `task` now, as a task of this executor; what it posts waits.
  template <typename Callable>
  void Do(Callable task) {
    ++depth_;
    task();
    --depth_;
  }
  // Runs the task posted first; false if there is none.
  bool RunOne() {
    if (posted_.empty()) return false;
    Task task = std::move(posted_.front());
    posted_.pop_front();
    Do(std::move(task));
    return true;
  }
  // Runs what is posted, and what that posts, `limit` tasks at most.
  void RunPosted(int limit = 100000) {
    while (limit-- > 0 && RunOne()) {
    }
  }
  // Lets time pass, with timers at their times and everything posted run in between.
  void Advance(absl::Duration by) {
    const absl::Time end = now_ + by;
    for (RunPosted(); !timers_.empty() && timers_.begin()->first.first <= end; RunPosted()) {
      now_ = std::max(now_, timers_.begin()->first.first);
      Do(std::move(timers_.extract(timers_.begin()).mapped()));
    }
    now_ = end;
  }

  size_t posted() const { return posted_.size(); }
  size_t timers() const { return timers_.size(); }

 private:
  absl::Time now_ = absl::UnixEpoch() + absl::Hours(1);
  int depth_ = 0;
  TimerId last_timer_ = 0;
  std::deque<Task> posted_;
  std::map<std::pair<absl::Time, TimerId>, Task> timers_;
};

}  // namespace starling

#endif  // STARLING_TESTS_PEER_GOSSIP_MANUAL_EXECUTOR_H_
