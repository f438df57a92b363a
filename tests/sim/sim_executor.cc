#include "tests/sim/sim_executor.h"

#include <algorithm>
#include <utility>

#include "peer/runtime/check.h"

namespace starling {

absl::Time SimExecutor::Now() const { return world_->now_; }

void SimExecutor::Post(Task task) { ScheduleAt(world_->now_, std::move(task)); }

TimerId SimExecutor::ScheduleAt(absl::Time when, Task task) {
  STARLING_CHECK(task != nullptr);
  if (killed_) return world_->next_id_++;
  return world_->Schedule(when, this, std::move(task));
}

void SimExecutor::Cancel(TimerId timer) {
  const auto event = world_->events_.find(timer);
  if (event != world_->events_.end()) {
    if (event->second.executor != this) return;
    // A task may own what its destructor touches; it must not see half an erasure.
    const Task task = std::move(event->second.task);
    world_->events_.erase(event);
    return;
  }
  const auto waiting = std::find_if(waiting_.begin(), waiting_.end(),
                                    [timer](const Waiting& each) { return each.id == timer; });
  if (waiting == waiting_.end()) return;
  const Task task = std::move(waiting->task);
  waiting_.erase(waiting);
}

bool SimExecutor::RunsHere() const { return world_->running_ == this; }

void SimExecutor::BusyFor(absl::Duration duration) {
  STARLING_CHECK(RunsHere());
  busy_until_ = world_->now_ + duration;
  world_->Schedule(busy_until_, this, nullptr);
}

void SimExecutor::Pause() { paused_ = true; }

void SimExecutor::Resume() {
  if (!paused_) return;
  paused_ = false;
  if (!killed_) world_->Schedule(world_->now_, this, nullptr);
}

void SimExecutor::Kill() {
  STARLING_CHECK(!RunsHere());
  killed_ = true;
  std::vector<Task> dead;
  for (auto event = world_->events_.begin(); event != world_->events_.end();) {
    if (event->second.executor != this) {
      ++event;
      continue;
    }
    dead.push_back(std::move(event->second.task));
    event = world_->events_.erase(event);
  }
  for (Waiting& waiting : waiting_) dead.push_back(std::move(waiting.task));
  waiting_.clear();
}

void SimExecutor::Visit(absl::FunctionRef<void()> visit) {
  SimExecutor* const before = std::exchange(world_->running_, this);
  visit();
  world_->running_ = before;
}

bool SimExecutor::Free() const { return !paused_ && !killed_ && world_->now_ >= busy_until_; }

void SimExecutor::Arrive(TimerId id, Task task) {
  // By way of the queue, so that nothing overtakes what waits already.
  if (task != nullptr) waiting_.push_back(Waiting{id, std::move(task)});
  RunWaiting();
}

void SimExecutor::RunWaiting() {
  while (!waiting_.empty() && Free()) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    world_->trace_.Add({static_cast<uint64_t>(absl::ToUnixNanos(world_->now_)), index_, next.id});
    world_->running_ = this;
    next.task();
    world_->running_ = nullptr;
  }
}

SimWorld::~SimWorld() {
  for (const auto& executor : executors_) executor->Kill();
}

SimExecutor* SimWorld::NewExecutor(std::string name) {
  executors_.push_back(std::unique_ptr<SimExecutor>(
      new SimExecutor(this, executors_.size(), std::move(name))));
  return executors_.back().get();
}

TimerId SimWorld::Schedule(absl::Time when, SimExecutor* executor, Task task) {
  const TimerId id = next_id_++;
  events_.emplace(id, Event{executor, std::move(task)});
  due_.emplace(std::max(when, now_), id);
  return id;
}

bool SimWorld::RunNext(absl::Time until) {
  STARLING_CHECK(running_ == nullptr);
  while (!due_.empty() && due_.top().first <= until) {
    const Key key = due_.top();
    due_.pop();
    const auto found = events_.find(key.second);
    if (found == events_.end()) continue;  // cancelled
    Event event = std::move(found->second);
    events_.erase(found);
    now_ = key.first;
    ++events_run_;
    event.executor->Arrive(key.second, std::move(event.task));
    return true;
  }
  now_ = std::max(now_, until);
  return false;
}

}  // namespace starling
