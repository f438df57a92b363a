// A mailbox of size one that keeps the newest: how a fast writer tells a slower actor "this is how
// things are now" without ever queueing. The rule for being full is: the older value is forgotten.
//
// Put may be called from any thread. `handler` runs on the reader's executor with the newest value;
// of all values put while one delivery is under way only the last is delivered.

#ifndef STARLING_PEER_RUNTIME_LATEST_H_
#define STARLING_PEER_RUNTIME_LATEST_H_

#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "peer/runtime/executor.h"

namespace starling {

template <typename T>
class Latest {
 public:
  // `handler` must stay callable until the executor has stopped; wrap it if its owner dies earlier.
  Latest(Executor* reader, std::function<void(T)> handler)
      : reader_(reader), slot_(std::make_shared<Slot>()), handler_(std::move(handler)) {}

  void Put(T value) {
    {
      absl::MutexLock lock(&slot_->mutex);
      const bool under_way = slot_->value.has_value();
      slot_->value = std::move(value);
      if (under_way) return;
    }
    reader_->Post([slot = slot_, handler = handler_] {
      absl::optional<T> newest;
      {
        absl::MutexLock lock(&slot->mutex);
        newest.swap(slot->value);
      }
      handler(*std::move(newest));
    });
  }

 private:
  struct Slot {
    absl::Mutex mutex;
    absl::optional<T> value ABSL_GUARDED_BY(mutex);
  };
  Executor* const reader_;
  const std::shared_ptr<Slot> slot_;
  const std::function<void(T)> handler_;
};

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_LATEST_H_
