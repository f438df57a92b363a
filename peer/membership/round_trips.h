// The last round trips of control calls, and how long to wait for an answer by them.
//
// A value; pure.

#ifndef STARLING_PEER_MEMBERSHIP_ROUND_TRIPS_H_
#define STARLING_PEER_MEMBERSHIP_ROUND_TRIPS_H_

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/time/time.h"

namespace starling {

class RoundTrips {
 public:
  // Round trips that are remembered. Up: the percentile is steadier and forgets later.
  static constexpr size_t kKept = 256;

  void Add(absl::Duration round_trip) {
    if (kept_.size() < kKept) {
      kept_.push_back(round_trip);
    } else {
      kept_[next_] = round_trip;
    }
    next_ = (next_ + 1) % kKept;
    // Sorting for each of them would cost more than it tells.
    if (kept_.size() < kWarmUp || next_ % kWarmUp == 0) Sort();
  }

  size_t count() const { return kept_.size(); }
  // 99 of 100 are at most this long; 0 before the first.
  absl::Duration percentile99() const { return percentile99_; }

 private:
  static constexpr size_t kWarmUp = 16;

  void Sort() {
    std::vector<absl::Duration> sorted = kept_;
    const size_t rank = (sorted.size() - 1) * 99 / 100;
    std::nth_element(sorted.begin(), sorted.begin() + rank, sorted.end());
    percentile99_ = sorted[rank];
  }

  std::vector<absl::Duration> kept_;
  size_t next_ = 0;
  absl::Duration percentile99_;
};

}  // namespace starling

#endif  // STARLING_PEER_MEMBERSHIP_ROUND_TRIPS_H_
