// A peer's id, kept across restarts in its state directory.

#ifndef STARLING_PEER_RUNTIME_PEER_ID_FILE_H_
#define STARLING_PEER_RUNTIME_PEER_ID_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "peer/runtime/ids.h"

namespace starling {

// The id in `directory`/peer_id, made and written on first use; a random one for an empty directory
// name. FAILED_PRECONDITION: the file holds something else, or the directory cannot be used (named).
absl::StatusOr<PeerId> LoadOrMakePeerId(const std::string& directory);

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_PEER_ID_FILE_H_
