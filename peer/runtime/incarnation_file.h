// The number that tells a daemon's present life from its former ones.

#ifndef STARLING_PEER_RUNTIME_INCARNATION_FILE_H_
#define STARLING_PEER_RUNTIME_INCARNATION_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "peer/runtime/ids.h"

namespace starling {

// Milliseconds since 1970 by the wall clock, or one more than the last life had if the clock has been
// turned back since; durable in `directory`/incarnation before it returns. With an empty `directory`
// only the clock. FAILED_PRECONDITION: the file cannot be written, or holds something else.
absl::StatusOr<Incarnation> NextIncarnation(const std::string& directory, absl::Time wall_clock);

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_INCARNATION_FILE_H_
