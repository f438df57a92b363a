#include "peer/runtime/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "peer/runtime/failpoint.h"

namespace starling {
namespace {

absl::Status Failure(absl::string_view doing, const std::string& path) {
  return absl::UnknownError(absl::StrCat("cannot ", doing, " ", path, ": ", std::strerror(errno)));
}

bool WriteAll(int file, absl::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(file, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    content.remove_prefix(written);
  }
  return true;
}

absl::Status SyncDirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "."
                                : slash == 0               ? "/"
                                                           : path.substr(0, slash);
  const int handle = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0) return Failure("open", directory);
  const bool synced = ::fsync(handle) == 0;
  const absl::Status status = synced ? absl::OkStatus() : Failure("sync", directory);
  ::close(handle);
  return status;
}

}  // namespace

absl::Status WriteFileAtomically(const std::string& path, absl::string_view content) {
  return WriteFileAtomically(path, {content});
}

absl::Status WriteFileAtomically(const std::string& path,
                                 std::initializer_list<absl::string_view> pieces) {
  const std::string temporary = path + ".tmp";
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return Failure("create", temporary);
  absl::Status status;
  const bool written = std::all_of(pieces.begin(), pieces.end(),
                                   [&](absl::string_view piece) { return WriteAll(file, piece); });
  if (!written || ::fsync(file) != 0) status = Failure("write", temporary);
  if (::close(file) != 0 && status.ok()) status = Failure("close", temporary);
  Failpoint("file.written");
  if (status.ok() && std::rename(temporary.c_str(), path.c_str()) != 0) {
    status = Failure("replace", path);
  }
  if (!status.ok()) {
    ::unlink(temporary.c_str());
    return status;
  }
  Failpoint("file.renamed");
  return SyncDirectoryOf(path);
}

}  // namespace starling
