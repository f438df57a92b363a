// The hidden flag --failpoint=NAME=ACTION[:after=N] of the daemons (failpoint.h).

#ifndef STARLING_PEER_RUNTIME_FAILPOINT_FLAG_H_
#define STARLING_PEER_RUNTIME_FAILPOINT_FLAG_H_

#include "absl/status/status.h"

namespace starling {

// Arms what the flag says, and says so in the log. After ParseFlags, before there are threads.
// INVALID_ARGUMENT: as ArmFailpoint.
absl::Status ArmFailpointFromFlag();

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_FAILPOINT_FLAG_H_
