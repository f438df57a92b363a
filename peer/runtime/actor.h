// Base of every actor: a plain class that lives on one executor and has a bounded mailbox.
//
// A method of an actor runs on its executor and nowhere else; each begins with AssertHere(). Other
// actors reach it with Post, handing over immutable values. The mailbox counts the tasks posted and
// not yet run. Two doors:
//   Post     refuses (returns false, counts it) when `capacity` tasks wait: for traffic that comes
//            from outside and that the sender can repeat or give up;
//   PostOwn  for what the actor itself is owed (timers, answers to its own requests): always
//            accepted, because its number is bounded by what the actor asked for.
// Tasks that outlive the actor do nothing. An actor must be destroyed on its executor, or after the
// executor has stopped.

#ifndef STARLING_PEER_RUNTIME_ACTOR_H_
#define STARLING_PEER_RUNTIME_ACTOR_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "peer/runtime/check.h"
#include "peer/runtime/executor.h"

namespace starling {

class Actor {
 public:
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;

  // Any thread.
  bool Post(Task task) {
    if (life_->waiting.fetch_add(1, std::memory_order_relaxed) >= capacity_) {
      life_->waiting.fetch_sub(1, std::memory_order_relaxed);
      refused_.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    executor_->Post([life = life_, task = std::move(task)]() mutable {
      life->waiting.fetch_sub(1, std::memory_order_relaxed);
      if (life->alive) task();
    });
    return true;
  }
  void PostOwn(Task task) {
    executor_->Post([life = life_, task = std::move(task)]() mutable {
      if (life->alive) task();
    });
  }

  // Wraps an answer that another actor or library will give, perhaps on another thread, so that it
  // is delivered here: the returned function posts `callback(value...)` to this actor.
  template <typename... Values, typename Callback>
  auto Deliver(Callback callback) {
    return [life = life_, executor = executor_,
            callback = std::move(callback)](Values... values) mutable {
      executor->Post([life = std::move(life), callback = std::move(callback),
                      ... values = std::move(values)]() mutable {
        if (life->alive) callback(std::move(values)...);
      });
    };
  }

  // The same for what another actor says again and again.
  template <typename Value, typename Callback>
  std::function<void(Value)> DeliverEach(Callback callback) {
    return [life = life_, executor = executor_, callback = std::move(callback)](Value value) {
      executor->Post([life, callback, value = std::move(value)]() mutable {
        if (life->alive) callback(std::move(value));
      });
    };
  }

  // A reusable version of a callback that already runs on this actor's executor: does nothing once
  // the actor is gone.
  template <typename Callback>
  auto WhileAlive(Callback callback) {
    return [life = life_, callback = std::move(callback)](auto&&... values) mutable {
      if (life->alive) callback(std::forward<decltype(values)>(values)...);
    };
  }

  size_t mailbox_depth() const { return life_->waiting.load(std::memory_order_relaxed); }
  size_t mailbox_capacity() const { return capacity_; }
  uint64_t mailbox_refused() const { return refused_.load(std::memory_order_relaxed); }

 protected:
  Actor(Executor* executor, size_t mailbox_capacity)
      : executor_(executor), capacity_(mailbox_capacity), life_(std::make_shared<Life>()) {}
  ~Actor() { life_->alive = false; }

  void AssertHere() const { STARLING_CHECK(executor_->RunsHere()); }
  absl::Time Now() const { return executor_->Now(); }
  Executor* executor() const { return executor_; }

  TimerId ScheduleAt(absl::Time when, Task task) {
    return executor_->ScheduleAt(when, [life = life_, task = std::move(task)]() mutable {
      if (life->alive) task();
    });
  }
  TimerId ScheduleAfter(absl::Duration delay, Task task) {
    return ScheduleAt(Now() + delay, std::move(task));
  }
  void CancelTimer(TimerId timer) {
    if (timer != 0) executor_->Cancel(timer);
  }

 private:
  struct Life {
    std::atomic<size_t> waiting{0};
    bool alive = true;  // read and written on the executor only
  };

  // Constant after construction.
  Executor* const executor_;
  const size_t capacity_;
  const std::shared_ptr<Life> life_;
  std::atomic<uint64_t> refused_{0};
};

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_ACTOR_H_
