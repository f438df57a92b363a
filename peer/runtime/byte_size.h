// Amounts of bytes as people write and read them. Stateless, any thread.

#ifndef STARLING_PEER_RUNTIME_BYTE_SIZE_H_
#define STARLING_PEER_RUNTIME_BYTE_SIZE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace starling {

// "812 B", "1.2 kB", "34.5 MB": powers of 1000.
std::string BytesText(uint64_t bytes);

// From "500kB", "2.5 MB", "64MiB", "20Mbit" (eighths of bytes) or a plain number of bytes, and if `per` is
// not empty with "/" and that behind it or not: "20Mbit/s". INVALID_ARGUMENT tells what can be written;
// also for what is negative or beyond 1e18, and for "kb" and "Mb", which may mean bits or bytes.
absl::StatusOr<uint64_t> ParseBytes(absl::string_view text, absl::string_view per = "");

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_BYTE_SIZE_H_
