// So many bytes a second, and some at once: the level rises by the rate up to the capacity, and what is
// moved is taken from it. It may fall below 0, for some things are charged after the fact; then nothing
// more goes until that is paid back. So over any time t at most rate x t + capacity is let go, and what
// was charged unasked is made up for.
//
// Pure: time comes with every call, and never goes back.

#ifndef STARLING_PEER_TRANSPORT_TOKEN_BUCKET_H_
#define STARLING_PEER_TRANSPORT_TOKEN_BUCKET_H_

#include <algorithm>

#include "absl/time/time.h"

namespace starling {

class TokenBucket {
 public:
  // Lets everything go.
  TokenBucket() = default;
  // Full. rate > 0, bytes a second; capacity > 0, bytes.
  TokenBucket(double rate, double capacity)
      : rate_(rate), capacity_(capacity), level_(capacity) {}

  // From now on; a rate of 0 lets everything go. What was charged so far stays charged.
  void Change(absl::Time now, double rate, double capacity) {
    level_ = rate_ > 0 ? std::min(Level(now), capacity) : capacity;
    filled_ = now;
    rate_ = rate;
    capacity_ = capacity;
  }

  bool limits() const { return rate_ > 0; }

  double Level(absl::Time now) const {
    if (now <= filled_) return level_;
    return std::min(capacity_, level_ + rate_ * absl::ToDoubleSeconds(now - filled_));
  }
  bool IsFull(absl::Time now) const { return Level(now) >= capacity_; }

  void Charge(absl::Time now, double bytes) {
    if (!limits()) return;
    level_ = Level(now) - bytes;
    filled_ = std::max(filled_, now);
  }

  // Until so many may go beside those that are promised to others; what is more than the capacity goes when
  // it is full, or it never would. Negative: that much debt is no matter.
  absl::Duration WaitFor(absl::Time now, double bytes, double promised = 0) const {
    const double missing = std::min(bytes, capacity_) + promised - Level(now);
    if (!limits() || missing <= 0) return absl::ZeroDuration();
    return absl::Seconds(missing / rate_) + absl::Nanoseconds(1);
  }

 private:
  double rate_ = 0;
  double capacity_ = 0;
  double level_ = 0;
  absl::Time filled_ = absl::InfinitePast();  // when the level was so
};

}  // namespace starling

#endif  // STARLING_PEER_TRANSPORT_TOKEN_BUCKET_H_
