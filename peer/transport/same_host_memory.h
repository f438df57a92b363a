// Reading the memory of another process of this host, with the kernel's process_vm_readv. Allowed between
// processes of one user that see each other's ids, unless the kernel is told otherwise (Yama's ptrace_scope,
// seccomp).
//
// Thread-safe; no state.

#ifndef STARLING_PEER_TRANSPORT_SAME_HOST_MEMORY_H_
#define STARLING_PEER_TRANSPORT_SAME_HOST_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace starling {

// The same for all processes of this host, until it boots again. Empty if unknown.
const std::string& HostId();

struct RemotePiece {
  uint64_t address = 0;  // in the other process
  absl::Span<char> into;
};

// Copies the pieces in their order.
// FAILED_PRECONDITION: no such process, not allowed, or not readable there; `into` is then undefined.
// UNIMPLEMENTED: not on this system.
absl::Status ReadProcessMemory(int64_t process, absl::Span<const RemotePiece> pieces);

}  // namespace starling

#endif  // STARLING_PEER_TRANSPORT_SAME_HOST_MEMORY_H_
