#include "tests/sim/sim_executor.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <utility>

#include "peer/runtime/check.h"

namespace starling {

namespace {

constexpr int64_t kMillion = 1'000'000;
// Beyond a century nothing happens.
constexpr int64_t kNever = int64_t{5} << 60;

// Rounded up.
int64_t Nanos(absl::Time when) {
  if (when >= absl::FromUnixNanos(kNever)) return kNever;
  if (when <= absl::UnixEpoch()) return 0;
  const int64_t nanos = absl::ToUnixNanos(when);
  return absl::FromUnixNanos(nanos) < when ? nanos + 1 : nanos;
}

}  // namespace

SimExecutor::SimExecutor(SimWorld* world, uint64_t index, std::string name)
    : world_(world), index_(index), name_(std::move(name)), busy_until_(world->now_nanos_) {}

absl::Time SimExecutor::Now() const {
  return own_clock_ ? absl::FromUnixNanos(LocalNanos(world_->now_nanos_)) : world_->now_;
}

void SimExecutor::SetClock(const SimClock& clock) {
  STARLING_CHECK(std::abs(clock.drift_ppm) <= 10'000);
  ahead_nanos_ = absl::ToInt64Nanoseconds(clock.ahead);
  drift_ppm_ = clock.drift_ppm;
  own_clock_ = true;
}

int64_t SimExecutor::LocalNanos(int64_t world_nanos) const {
  const int64_t elapsed = world_nanos - SimWorld::kBeginning;
  // Without overflow for a decade.
  const int64_t drift = elapsed / kMillion * drift_ppm_ + elapsed % kMillion * drift_ppm_ / kMillion;
  return world_nanos + ahead_nanos_ + drift;
}

int64_t SimExecutor::WorldNanos(int64_t local_nanos) const {
  if (!own_clock_ || local_nanos == kNever) return local_nanos;
  const int64_t elapsed = local_nanos - ahead_nanos_ - SimWorld::kBeginning;
  int64_t guess = SimWorld::kBeginning +
                  static_cast<int64_t>(static_cast<long double>(elapsed) * kMillion /
                                       (kMillion + drift_ppm_));
  while (LocalNanos(guess) < local_nanos) ++guess;
  while (LocalNanos(guess - 1) >= local_nanos) --guess;
  return guess;
}

void SimExecutor::LeapClock(absl::Duration by) {
  STARLING_CHECK(by >= absl::ZeroDuration());
  own_clock_ = true;
  ahead_nanos_ += absl::ToInt64Nanoseconds(by);
  for (const SimWorld::Event& event : world_->slots_) {
    if (event.id == 0 || event.executor != this || event.local_due == 0) continue;
    world_->Push(WorldNanos(event.local_due), event.id);
  }
}

void SimExecutor::Post(Task task) {
  STARLING_CHECK(task != nullptr);
  if (!killed_) world_->Schedule(world_->now_nanos_, this, std::move(task));
}

TimerId SimExecutor::ScheduleAt(absl::Time when, Task task) {
  STARLING_CHECK(task != nullptr);
  if (killed_) return world_->NextId();
  const int64_t due = Nanos(when);
  return world_->Schedule(WorldNanos(due), this, std::move(task), due);
}

TimerId SimExecutor::ArriveAt(absl::Time when, Task task) {
  STARLING_CHECK(task != nullptr);
  if (killed_) return world_->NextId();
  return world_->Schedule(Nanos(when), this, std::move(task));
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
  busy_until_ = world_->now_nanos_ + absl::ToInt64Nanoseconds(duration);
  world_->Schedule(busy_until_, this, nullptr);
}

void SimExecutor::Pause() { paused_ = true; }

void SimExecutor::Resume() {
  if (!paused_) return;
  paused_ = false;
  if (!killed_) world_->Schedule(world_->now_nanos_, this, nullptr);
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

bool SimExecutor::Free() const { return !paused_ && !killed_ && world_->now_nanos_ >= busy_until_; }

void SimExecutor::Arrive(TimerId id, Task task) {
  // By way of the queue, so that nothing overtakes what waits already.
  if (task != nullptr) waiting_.push_back(Waiting{id, std::move(task)});
  RunWaiting();
}

void SimExecutor::RunWaiting() {
  while (!waiting_.empty() && Free()) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    world_->trace_.Add({static_cast<uint64_t>(world_->now_nanos_), index_, next.id});
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

TimerId SimWorld::Schedule(int64_t when, SimExecutor* executor, Task task, int64_t local_due) {
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
  event.local_due = local_due;
  Push(when, id);
  if (due_.size() > 1024 && due_.size() > 4 * pending()) DropCancelled();
  return id;
}

void SimWorld::Push(int64_t when, TimerId id) {
  due_.push_back({std::max(when, now_nanos_), id});
  std::push_heap(due_.begin(), due_.end(), std::greater<Key>());
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
  std::erase_if(due_, [this](const Key& key) { return Find(key.id) == nullptr; });
  std::make_heap(due_.begin(), due_.end(), std::greater<Key>());
}

bool SimWorld::RunNext(absl::Time until) {
  STARLING_CHECK(running_ == nullptr);
  const int64_t until_nanos = Nanos(until);
  while (!due_.empty() && due_.front().due <= until_nanos) {
    const Key key = due_.front();
    std::pop_heap(due_.begin(), due_.end(), std::greater<Key>());
    due_.pop_back();
    Event* const event = Find(key.id);
    if (event == nullptr) continue;  // cancelled
    SimExecutor* const executor = event->executor;
    Task task = Take(*event);
    if (now_nanos_ != key.due) {
      now_nanos_ = key.due;
      now_ = absl::FromUnixNanos(key.due);
    }
    ++events_run_;
    executor->Arrive(key.id, std::move(task));
    return true;
  }
  if (now_nanos_ < until_nanos) {
    now_nanos_ = until_nanos;
    now_ = absl::FromUnixNanos(until_nanos);
  }
  return false;
}

}  // namespace starling
