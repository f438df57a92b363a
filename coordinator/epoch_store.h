// Counts the starts of a coordinator in a directory, so that its fencing epochs never go back, and
// keeps a second coordinator out of that directory.
//
//   <state_dir>/lock           held with flock for as long as the store lives
//   <state_dir>/start_number   the last start number, in decimal
//
// The number is replaced atomically: written to a temporary file, synced, renamed, the directory
// synced. A start takes max(last + 1, unix seconds), so that a coordinator that loses its directory
// or runs without one, where unix seconds alone are the number, still does not go back unless the
// clock does.

#ifndef STARLING_COORDINATOR_EPOCH_STORE_H_
#define STARLING_COORDINATOR_EPOCH_STORE_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace starling {

class EpochStore {
 public:
  // Makes the directory if its parent exists. UNAVAILABLE: another coordinator holds the lock.
  // UNKNOWN: it cannot be made or opened (with the system's reason).
  static absl::StatusOr<EpochStore> Open(const std::string& directory);

  EpochStore(EpochStore&& other) noexcept
      : directory_(std::move(other.directory_)), lock_(std::exchange(other.lock_, -1)) {}
  EpochStore& operator=(EpochStore&&) = delete;
  ~EpochStore();

  // The number of this start, durable before it is returned. DATA_LOSS: the file holds something
  // else. UNKNOWN: it cannot be read or written.
  absl::StatusOr<uint64_t> NextStartNumber(absl::Time wall_clock);

 private:
  EpochStore(std::string directory, int lock) : directory_(std::move(directory)), lock_(lock) {}

  std::string directory_;
  int lock_;
};

// The start number without a directory.
uint64_t StartNumberFromClock(absl::Time wall_clock);

}  // namespace starling

#endif  // STARLING_COORDINATOR_EPOCH_STORE_H_
