// Replacing a file so that a reader, or a crash, finds the old content or the new, never a part.

#ifndef STARLING_PEER_RUNTIME_ATOMIC_FILE_H_
#define STARLING_PEER_RUNTIME_ATOMIC_FILE_H_

#include <initializer_list>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace starling {

// Writes `path`.tmp, syncs it, renames it over `path` and syncs the directory: durable on return.
// UNKNOWN: it cannot be written (path and the system's reason); the old file is then untouched,
// unless only the last sync failed.
absl::Status WriteFileAtomically(const std::string& path, absl::string_view content);
// The same with `pieces` one after the other.
absl::Status WriteFileAtomically(const std::string& path,
                                 std::initializer_list<absl::string_view> pieces);

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_ATOMIC_FILE_H_
