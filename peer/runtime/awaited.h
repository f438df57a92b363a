// A value that one thread waits for and another delivers, once. Thread-safe.

#ifndef STARLING_PEER_RUNTIME_AWAITED_H_
#define STARLING_PEER_RUNTIME_AWAITED_H_

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"

namespace starling {

template <typename T>
class Awaited {
 public:
  // Only the first counts.
  void Set(T value) {
    absl::MutexLock lock(&mutex_);
    if (!value_) value_ = std::move(value);
  }
  // nullopt after `timeout`, or when `stopped`, which is asked ten times a second, says so.
  absl::optional<T> Wait(absl::Duration timeout, const std::function<bool()>& stopped) {
    absl::MutexLock lock(&mutex_);
    while (!value_ && timeout > absl::ZeroDuration() && !stopped()) {
      const absl::Duration slice = std::min(timeout, absl::Milliseconds(100));
      mutex_.AwaitWithTimeout(absl::Condition(this, &Awaited::HasValue), slice);
      timeout -= slice;
    }
    return value_;
  }

 private:
  bool HasValue() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return value_.has_value(); }
  absl::Mutex mutex_;
  absl::optional<T> value_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_AWAITED_H_
