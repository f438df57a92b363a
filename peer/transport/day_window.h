// Bytes of the last 24 hours, kept in quarters of an hour: a byte counts for at least 24 hours and at most a
// quarter of an hour longer, so that a limit on the sum holds in any 24 hours.
//
// A day that slides, and in the executor's time: no midnight at which two days' bytes could go within the
// hour, no time zone, and no clock that somebody sets. A restart forgets.
//
// Pure: time comes with every call, and never goes back.

#ifndef STARLING_PEER_TRANSPORT_DAY_WINDOW_H_
#define STARLING_PEER_TRANSPORT_DAY_WINDOW_H_

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/time/time.h"

namespace starling {

class DayWindow {
 public:
  static constexpr absl::Duration kCell = absl::Minutes(15);
  static constexpr int64_t kCells = 24 * 4 + 1;

  void Charge(absl::Time now, uint64_t bytes) {
    const int64_t cell = std::max(CellAt(now), last_);
    for (int64_t old = std::max(last_ + 1, cell - kCells + 1); old <= cell; ++old) At(old) = 0;
    last_ = cell;
    At(cell) += bytes;
  }

  uint64_t Spent(absl::Time now) const {
    uint64_t sum = 0;
    for (int64_t cell = OldestAt(now); cell <= last_; ++cell) sum += At(cell);
    return sum;
  }

  // Until `bytes` more stay within `limit` beside those promised to others; of what is more than the limit:
  // until nothing else counts.
  absl::Duration WaitFor(absl::Time now, uint64_t bytes, uint64_t limit, uint64_t promised = 0) const {
    const uint64_t room = limit - std::min(bytes + promised, limit);
    uint64_t spent = Spent(now);
    int64_t cell = OldestAt(now);
    for (; spent > room && cell <= last_; ++cell) spent -= At(cell);
    return cell == OldestAt(now) ? absl::ZeroDuration()
                                 : absl::UnixEpoch() + (cell - 1 + kCells) * kCell - now;
  }

 private:
  static int64_t CellAt(absl::Time now) {
    return absl::ToUnixSeconds(now) / absl::ToInt64Seconds(kCell);
  }
  // The oldest that counts.
  int64_t OldestAt(absl::Time now) const {
    return std::max<int64_t>(std::max(CellAt(now), last_) - kCells + 1, 0);
  }
  uint64_t& At(int64_t cell) { return cells_[static_cast<size_t>(cell % kCells)]; }
  uint64_t At(int64_t cell) const { return cells_[static_cast<size_t>(cell % kCells)]; }

  std::array<uint64_t, kCells> cells_ = {};
  int64_t last_ = 0;  // the newest that was charged; those up to kCells before it are kept
};

}  // namespace starling

#endif  // STARLING_PEER_TRANSPORT_DAY_WINDOW_H_
