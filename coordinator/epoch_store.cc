#include "coordinator/epoch_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "peer/runtime/atomic_file.h"
#include "peer/runtime/one_line.h"

namespace starling {
namespace {

constexpr uint64_t kMaxStartNumber = (uint64_t{1} << 32) - 1;

absl::Status Failure(absl::string_view doing, const std::string& path) {
  return absl::UnknownError(absl::StrCat("cannot ", doing, " ", path, ": ", std::strerror(errno)));
}

// 0 if there is no file yet.
absl::StatusOr<uint64_t> ReadStartNumber(const std::string& path) {
  errno = 0;
  std::ifstream file(path);
  if (!file) {
    if (errno == ENOENT) return 0;
    return Failure("read", path);
  }
  std::ostringstream text;
  text << file.rdbuf();
  uint64_t number = 0;
  if (!absl::SimpleAtoi(absl::StripAsciiWhitespace(text.str()), &number) ||
      number >= kMaxStartNumber) {
    return absl::DataLossError(absl::StrCat(path, " holds \"", OneLine(text.str(), 40),
                                            "\" instead of a start number; remove the file to "
                                            "count from the clock"));
  }
  return number;
}

}  // namespace

absl::StatusOr<EpochStore> EpochStore::Open(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) {
    return Failure("make the state directory", directory);
  }
  const std::string path = directory + "/lock";
  const int lock = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0) return Failure("open", path);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    const absl::Status status =
        errno == EWOULDBLOCK
            ? absl::UnavailableError(absl::StrCat("another coordinator uses the state directory ",
                                                  directory, "; give each its own"))
            : Failure("lock", path);
    ::close(lock);
    return status;
  }
  return EpochStore(directory, lock);
}

EpochStore::~EpochStore() {
  if (lock_ >= 0) ::close(lock_);
}

absl::StatusOr<uint64_t> EpochStore::NextStartNumber(absl::Time wall_clock) {
  const std::string path = directory_ + "/start_number";
  const absl::StatusOr<uint64_t> last = ReadStartNumber(path);
  if (!last.ok()) return last.status();
  const uint64_t next = std::max(*last + 1, StartNumberFromClock(wall_clock));
  const absl::Status written = WriteFileAtomically(path, absl::StrCat(next, "\n"));
  if (!written.ok()) return written;
  return next;
}

uint64_t StartNumberFromClock(absl::Time wall_clock) {
  const int64_t seconds = absl::ToUnixSeconds(wall_clock);
  return std::clamp<int64_t>(seconds, 1, kMaxStartNumber - 1);
}

}  // namespace starling
