// Keeps a second process out of a directory.
//
//   <directory>/lock    held with flock by the process whose id it holds, for as long as that lives
//
// The kernel lets go of the lock when the process ends, however it ends; the file stays, and means nothing
// by itself. A process that stands still (SIGSTOP) still holds it.

#ifndef STARLING_PEER_RUNTIME_DIRECTORY_LOCK_H_
#define STARLING_PEER_RUNTIME_DIRECTORY_LOCK_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace starling {

class DirectoryLock {
 public:
  // Makes the directory if there is none. ALREADY_EXISTS: another process holds it (directory, its id and
  // the remedy). FAILED_PRECONDITION: it cannot be made or opened (with the system's reason).
  static absl::StatusOr<DirectoryLock> Take(const std::string& directory);

  DirectoryLock(DirectoryLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  DirectoryLock& operator=(DirectoryLock&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int file) : file_(file) {}

  int file_;
};

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_DIRECTORY_LOCK_H_
