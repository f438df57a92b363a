#include "peer/transport/same_host_memory.h"

#include <sys/types.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"

namespace starling {

const std::string& HostId() {
  static const std::string& id = *new std::string([] {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string line;
    std::getline(file, line);
    return line;
  }());
  return id;
}

absl::Status ReadProcessMemory(int64_t process, absl::Span<const RemotePiece> pieces) {
#if defined(__linux__)
  std::vector<iovec> from;
  std::vector<iovec> to;
  ssize_t wanted = 0;
  for (const RemotePiece& piece : pieces) {
    from.push_back({reinterpret_cast<void*>(piece.address), piece.into.size()});
    to.push_back({piece.into.data(), piece.into.size()});
    wanted += static_cast<ssize_t>(piece.into.size());
  }
  if (process <= 0 || process > std::numeric_limits<pid_t>::max()) {
    return absl::FailedPreconditionError(absl::StrCat("process ", process, " cannot be"));
  }
  const ssize_t copied = process_vm_readv(static_cast<pid_t>(process), to.data(), to.size(),
                                          from.data(), from.size(), 0);
  if (copied == wanted) return absl::OkStatus();
  const std::string why =
      copied < 0 ? std::strerror(errno) : absl::StrCat("only ", copied, " bytes are there");
  return absl::FailedPreconditionError(
      absl::StrCat("reading ", wanted, " bytes of process ", process, ": ", why));
#else
  return absl::UnimplementedError("process_vm_readv");
#endif
}

}  // namespace starling
