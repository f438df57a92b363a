#include "tests/sim/sim_executor.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "peer/runtime/check.h"

namespace starling {

absl::Time SimExecutor::Now() const { return world_->now_; }

void SimExecutor::Post(Task task) { ScheduleAt(world_->now_, std::move(task)); }

TimerId SimExecutor::ScheduleAt(absl::Time when, Task task) {
  STARLING_CHECK(task != nullptr);
  if (killed_) return world_->NextId();
  return world_->Schedule(when, this, std::move(task));
}

void SimExecutor::Cancel(TimerId timer) {
  if (SimWorld::Event* const event = world_->Find(timer); event != nullptr) {
    if (event->executor == this) const Task task = world_->Take(*event);
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
  std::vector<TimerId> ids;
  for (const SimWorld::Event& event : world_->slots_) {
    if (event.id != 0 && event.executor == this) ids.push_back(event.id);
  }
  std::sort(ids.begin(), ids.end());
  // They go at the end of the scope, in the order in which they were scheduled.
  std::vector<Task> dead;
  for (const TimerId id : ids) dead.push_back(world_->Take(*world_->Find(id)));
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
  if (free_slots_.empty()) {
    STARLING_CHECK(slots_.size() <= kSlotMask);
    free_slots_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  const TimerId id = NextId() | slot;
  Event& event = slots_[slot];
  event.id = id;
  event.executor = executor;
  event.task = std::move(task);
  due_.emplace_back(std::max(when, now_), id);
  std::push_heap(due_.begin(), due_.end(), std::greater<Key>());
  if (due_.size() > 1024 && due_.size() > 4 * pending()) DropCancelled();
  return id;
}

SimWorld::Event* SimWorld::Find(TimerId id) {
  const size_t slot = id & kSlotMask;
  return slot < slots_.size() && slots_[slot].id == id ? &slots_[slot] : nullptr;
}

Task SimWorld::Take(Event& event) {
  free_slots_.push_back(static_cast<uint32_t>(event.id & kSlotMask));
  event.id = 0;
  return std::exchange(event.task, nullptr);
}

void SimWorld::DropCancelled() {
  std::erase_if(due_, [this](const Key& key) { return Find(key.second) == nullptr; });
  std::make_heap(due_.begin(), due_.end(), std::greater<Key>());
}

bool SimWorld::RunNext(absl::Time until) {
  STARLING_CHECK(running_ == nullptr);
  while (!due_.empty() && due_.front().first <= until) {
    const Key key = due_.front();
    std::pop_heap(due_.begin(), due_.end(), std::greater<Key>());
    due_.pop_back();
    Event* const event = Find(key.second);
    if (event == nullptr) continue;  // cancelled
    SimExecutor* const executor = event->executor;
    Task task = Take(*event);
    now_ = key.first;
    ++events_run_;
    executor->Arrive(key.second, std::move(task));
    return true;
  }
  now_ = std::max(now_, until);
  return false;
}

}  // namespace starling
