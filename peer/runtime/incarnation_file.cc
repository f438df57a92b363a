#include "peer/runtime/incarnation_file.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "peer/runtime/atomic_file.h"

namespace starling {

absl::StatusOr<Incarnation> NextIncarnation(const std::string& directory, absl::Time wall_clock) {
  Incarnation next =
      static_cast<Incarnation>(std::max<int64_t>(1, absl::ToUnixMillis(wall_clock)));
  if (directory.empty()) return next;
  const std::string path = absl::StrCat(directory, "/incarnation");
  std::error_code error;
  if (std::filesystem::exists(path, error)) {
    std::ifstream file(path);
    std::string text;
    std::getline(file, text);
    Incarnation last = 0;
    if (!absl::SimpleAtoi(absl::StripAsciiWhitespace(text), &last) ||
        last == std::numeric_limits<Incarnation>::max()) {
      return absl::FailedPreconditionError(absl::StrCat(
          path, " should hold a number, holds \"", text.substr(0, 40),
          "\"; delete it together with peer_id to start as a new peer"));
    }
    next = std::max(next, last + 1);
  }
  if (const absl::Status status = WriteFileAtomically(path, absl::StrCat(next, "\n"));
      !status.ok()) {
    return absl::FailedPreconditionError(status.message());
  }
  return next;
}

}  // namespace starling
