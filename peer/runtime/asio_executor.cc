// Asio supplies the threads and the clock. The queues are our own, one pair per executor: tasks in
// order of posting, timers in order of (time, id). That gives the order that executor.h promises
// (Asio's timer heap does not keep equal times in order), lets a timer be cancelled up to the
// moment it runs, and lets everything that still waits be destroyed when the threads stop.

#include "peer/runtime/asio_executor.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "boost/asio/executor_work_guard.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/steady_timer.hpp"
#include "peer/runtime/check.h"

namespace starling {
namespace {

// Tasks that one turn runs before other executors on the same threads get theirs.
constexpr int kTasksPerTurn = 64;
// Longest time that the clock is asked to sleep; keeps far-away times out of Asio's arithmetic.
constexpr absl::Duration kLongestSleep = absl::Hours(1);

absl::Time SteadyNow() {
  return absl::UnixEpoch() + absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace

class AsioThreads::Impl {
 public:
  Impl(const std::string& name, int threads) : work_(context_.get_executor()) {
    STARLING_CHECK(threads > 0);
    for (int i = 0; i < threads; ++i) {
      threads_.emplace_back([this] { context_.run(); });
      pthread_setname_np(threads_.back().native_handle(), name.substr(0, 15).c_str());
    }
  }

  void Join();

  // False if the threads have been stopped; `executor` then never runs anything.
  bool Adopt(std::weak_ptr<AsioExecutor::Impl> executor) {
    absl::MutexLock lock(&mutex_);
    if (stopped_) return false;
    executors_.erase(std::remove_if(executors_.begin(), executors_.end(),
                                    [](const auto& known) { return known.expired(); }),
                     executors_.end());
    executors_.push_back(std::move(executor));
    return true;
  }

  boost::asio::io_context& context() { return context_; }

 private:
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::vector<std::thread> threads_;
  absl::Mutex joining_;
  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::weak_ptr<AsioExecutor::Impl>> executors_ ABSL_GUARDED_BY(mutex_);
};

class AsioExecutor::Impl : public std::enable_shared_from_this<AsioExecutor::Impl> {
 public:
  explicit Impl(std::shared_ptr<AsioThreads::Impl> threads)
      : threads_(std::move(threads)), alarm_(threads_->context()) {}

  void Post(Task task) {
    absl::MutexLock lock(&mutex_);
    if (stopped_) {
      // Destroyed by the caller's frame after the lock: a task may own what posts in its
      // destructor.
      return;
    }
    ready_.push_back(std::move(task));
    Kick();
  }

  TimerId ScheduleAt(absl::Time when, Task task) {
    absl::MutexLock lock(&mutex_);
    const TimerId id = next_timer_++;
    if (stopped_) return id;
    times_.emplace(id, when);
    timers_.emplace(std::make_pair(when, id), std::move(task));
    if (!awake_) SetAlarm();
    return id;
  }

  void Cancel(TimerId timer) {
    Task cancelled;  // destroyed after the lock
    absl::MutexLock lock(&mutex_);
    auto time = times_.find(timer);
    if (time == times_.end()) return;
    auto found = timers_.find({time->second, timer});
    cancelled = std::move(found->second);
    timers_.erase(found);
    times_.erase(time);
  }

  bool RunsHere() const { return current_ == this; }

  // Destroys what waits and lets nothing run from now on. Returns after the running task, if any.
  void Stop() {
    std::deque<Task> ready;
    Timers timers;
    {
      absl::MutexLock lock(&mutex_);
      stopped_ = true;
      ready.swap(ready_);
      timers.swap(timers_);
      times_.clear();
      alarm_.cancel();
    }
    ready.clear();
    timers.clear();
    if (RunsHere()) return;
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &Impl::NothingRuns));
  }

 private:
  using Timers = std::map<std::pair<absl::Time, TimerId>, Task>;

  bool NothingRuns() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !running_; }

  // Makes sure that a turn is underway or queued.
  void Kick() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (awake_) return;
    awake_ = true;
    boost::asio::post(threads_->context(), [self = weak_from_this()] {
      if (auto impl = self.lock()) impl->TakeTurn();
    });
  }

  // Wakes up for the earliest timer. Not needed while awake: every turn ends with it.
  void SetAlarm() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (timers_.empty()) return;
    const absl::Time now = SteadyNow();
    const absl::Time when = std::min(timers_.begin()->first.first, now + kLongestSleep);
    if (when <= now) return Kick();
    if (when == alarm_time_) return;
    alarm_time_ = when;
    alarm_.expires_after(absl::ToChronoNanoseconds(when - now));
    alarm_.async_wait([self = weak_from_this(), when](const boost::system::error_code& error) {
      if (error) return;
      auto impl = self.lock();
      if (impl == nullptr) return;
      absl::MutexLock lock(&impl->mutex_);
      if (impl->alarm_time_ == when) impl->alarm_time_ = absl::InfinitePast();
      impl->Kick();
    });
  }

  // Runs the timers that are due now, then tasks; leaves what either of them adds to the next turn,
  // so that neither starves the other.
  void TakeTurn() {
    mutex_.Lock();
    const absl::Time now = SteadyNow();
    const TimerId end = next_timer_;
    auto timer = timers_.begin();
    while (!stopped_ && timer != timers_.end() && timer->first.first <= now) {
      if (timer->first.second >= end) {
        ++timer;
        continue;
      }
      Task task = std::move(timer->second);
      times_.erase(timer->first.second);
      timers_.erase(timer);
      Run(std::move(task));
      timer = timers_.begin();
    }
    for (size_t left = std::min<size_t>(ready_.size(), kTasksPerTurn);
         left > 0 && !ready_.empty(); --left) {
      Task task = std::move(ready_.front());
      ready_.pop_front();
      Run(std::move(task));
    }
    awake_ = false;
    if (!stopped_) {
      if (!ready_.empty()) {
        Kick();
      } else {
        SetAlarm();
      }
    }
    mutex_.Unlock();
  }

  // Unlocks while the task runs and is destroyed.
  void Run(Task task) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    running_ = true;
    mutex_.Unlock();
    current_ = this;
    task();
    task = nullptr;
    current_ = nullptr;
    mutex_.Lock();
    running_ = false;
  }

  static thread_local const Impl* current_;

  // Outlives the alarm, which belongs to its io_context.
  const std::shared_ptr<AsioThreads::Impl> threads_;

  absl::Mutex mutex_;
  boost::asio::steady_timer alarm_ ABSL_GUARDED_BY(mutex_);
  absl::Time alarm_time_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  std::deque<Task> ready_ ABSL_GUARDED_BY(mutex_);
  Timers timers_ ABSL_GUARDED_BY(mutex_);
  std::map<TimerId, absl::Time> times_ ABSL_GUARDED_BY(mutex_);  // of every timer in timers_
  TimerId next_timer_ ABSL_GUARDED_BY(mutex_) = 1;
  bool awake_ ABSL_GUARDED_BY(mutex_) = false;  // a turn is underway or queued
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

thread_local const AsioExecutor::Impl* AsioExecutor::Impl::current_ = nullptr;

void AsioThreads::Impl::Join() {
  absl::MutexLock joining(&joining_);
  for (const std::thread& thread : threads_) {
    STARLING_CHECK(thread.get_id() != std::this_thread::get_id());
  }
  std::vector<std::weak_ptr<AsioExecutor::Impl>> executors;
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
    executors.swap(executors_);
  }
  for (const auto& executor : executors) {
    if (auto impl = executor.lock()) impl->Stop();
  }
  context_.stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

AsioThreads::AsioThreads(const std::string& name, int threads)
    : impl_(std::make_shared<Impl>(name, threads)) {}
AsioThreads::~AsioThreads() { impl_->Join(); }
void AsioThreads::Join() { impl_->Join(); }

AsioExecutor::AsioExecutor(AsioThreads& threads) : impl_(std::make_shared<Impl>(threads.impl_)) {
  if (!threads.impl_->Adopt(impl_)) impl_->Stop();
}
AsioExecutor::~AsioExecutor() { impl_->Stop(); }

absl::Time AsioExecutor::Now() const { return SteadyNow(); }
void AsioExecutor::Post(Task task) { impl_->Post(std::move(task)); }
TimerId AsioExecutor::ScheduleAt(absl::Time when, Task task) {
  return impl_->ScheduleAt(when, std::move(task));
}
void AsioExecutor::Cancel(TimerId timer) { impl_->Cancel(timer); }
bool AsioExecutor::RunsHere() const { return impl_->RunsHere(); }

}  // namespace starling
