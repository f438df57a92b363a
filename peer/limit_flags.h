// The flags of peerd that limit what it moves over the network: --limit_send and its relatives. They are
// defined in limit_flags.cc.

#ifndef STARLING_PEER_LIMIT_FLAGS_H_
#define STARLING_PEER_LIMIT_FLAGS_H_

#include "absl/status/statusor.h"
#include "proto/status.pb.h"

namespace starling {

// Call after the command line was parsed. INVALID_ARGUMENT names the flag.
absl::StatusOr<v1::LinkLimits> LimitsFromFlags();

}  // namespace starling

#endif  // STARLING_PEER_LIMIT_FLAGS_H_
