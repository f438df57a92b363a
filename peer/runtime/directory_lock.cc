#include "peer/runtime/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace starling {
namespace {

absl::Status Failure(absl::string_view doing, const std::string& path) {
  return absl::FailedPreconditionError(
      absl::StrCat("cannot ", doing, " ", path, ": ", std::strerror(errno)));
}

// "process 4711", or what can be said without its number: the holder writes it after it has the lock.
std::string Holder(int file) {
  char text[32];
  const ssize_t length = ::pread(file, text, sizeof(text), 0);
  int pid = 0;
  const absl::string_view digits(text, length > 0 ? static_cast<size_t>(length) : 0);
  return absl::SimpleAtoi(digits, &pid) ? absl::StrCat("process ", pid)
                                        : std::string("another process");
}

// For people only: on a full disk the lock holds without it.
void WriteHolder(int file) {
  const std::string text = absl::StrCat(::getpid(), "\n");
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, text.data(), text.size(), 0) < 0) return;
}

}  // namespace

absl::StatusOr<DirectoryLock> DirectoryLock::Take(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return absl::FailedPreconditionError(
        absl::StrCat("state directory ", directory, ": ", error.message()));
  }
  const std::string path = directory + "/lock";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) return Failure("open", path);
  DirectoryLock lock(file);
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Failure("lock", path);
    return absl::AlreadyExistsError(
        absl::StrCat("the state directory ", directory, " is in use by ", Holder(file),
                     ", which keeps its peer's id there; stop that process, or give this one a "
                     "--state_dir of its own"));
  }
  WriteHolder(file);
  return lock;
}

DirectoryLock::~DirectoryLock() {
  if (file_ >= 0) ::close(file_);
}

}  // namespace starling
