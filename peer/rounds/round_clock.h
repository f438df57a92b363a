// When a round asks again for what did not come, and when it ends whatever is missing. Pure; owned by a
// round.

#ifndef STARLING_PEER_ROUNDS_ROUND_CLOCK_H_
#define STARLING_PEER_ROUNDS_ROUND_CLOCK_H_

#include <algorithm>

#include "absl/time/time.h"

namespace starling {

struct RoundTimes {
  // What did not come is asked for, or sent again, after this long, then after twice as long, and so on up
  // to an eighth of the deadline. More than half of the deadline counts as half: only who asks learns from the
  // refusal that the others have gone on.
  absl::Duration retry;
  // The round ends this long after its beginning.
  absl::Duration deadline;
};

class RoundClock {
 public:
  explicit RoundClock(RoundTimes times)
      : deadline_(times.deadline),
        longest_(std::max(Shortest(times), times.deadline / 8)),
        retry_(Shortest(times)) {}

  void Begin(absl::Time now) {
    ends_ = now + deadline_;
    retry_at_ = now + retry_;
  }
  bool Over(absl::Time now) const { return now >= ends_; }
  // True if it is time to ask again; the next time is then later.
  bool TakeRetry(absl::Time now) {
    if (now < retry_at_) return false;
    retry_ = std::min(2 * retry_, longest_);
    retry_at_ = now + retry_;
    return true;
  }
  absl::Time NextWake() const { return std::min(ends_, retry_at_); }

 private:
  static absl::Duration Shortest(RoundTimes times) {
    return std::min(times.retry, times.deadline / 2);
  }

  const absl::Duration deadline_;
  const absl::Duration longest_;
  absl::Duration retry_;
  absl::Time ends_ = absl::InfiniteFuture();
  absl::Time retry_at_ = absl::InfiniteFuture();
};

}  // namespace starling

#endif  // STARLING_PEER_ROUNDS_ROUND_CLOCK_H_
