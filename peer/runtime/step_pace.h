// How long a step takes, learned from how many were made by when. News of steps may come in leaps (gossip
// tells of several at a time), so times and steps are smoothed apart and then divided.
//
// One standstill must not look like slow steps: an interval counts for four times the mean at most.
//
// A value; pure.

#ifndef STARLING_PEER_RUNTIME_STEP_PACE_H_
#define STARLING_PEER_RUNTIME_STEP_PACE_H_

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"

namespace starling {

class StepPace {
 public:
  // So many steps are made by `now`. Fewer than before: it began anew, at the same pace until it is known better.
  void OnStep(absl::Time now, uint64_t step) {
    if (step == step_ && known_) return;
    const bool progress = known_ && step > step_;
    if (progress) Learn(now - last_, static_cast<double>(step - step_));
    known_ = true;
    step_ = step;
    last_ = now;
  }

  // What passes until the next news does not count: nobody knows what was made of it.
  void Interrupt() { known_ = false; }

  // 0 before the second step.
  absl::Duration step_time() const {
    return steps_ > 0 ? interval_ / steps_ : absl::ZeroDuration();
  }

 private:
  static constexpr double kNewest = 0.1;
  static constexpr double kStandstill = 4;

  void Learn(absl::Duration interval, double steps) {
    if (interval_ > absl::ZeroDuration()) interval = std::min(interval, kStandstill * interval_);
    const double share = std::max(kNewest, 1.0 / ++learned_);
    interval_ += share * (interval - interval_);
    steps_ += share * (steps - steps_);
    learned_ = std::min(learned_, 1000);
  }

  bool known_ = false;
  uint64_t step_ = 0;
  absl::Time last_;
  int learned_ = 0;
  absl::Duration interval_;
  double steps_ = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_STEP_PACE_H_
