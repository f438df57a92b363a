// Members as people read them: in the status and in the log.

#ifndef STARLING_PEER_RUNTIME_MEMBER_TEXT_H_
#define STARLING_PEER_RUNTIME_MEMBER_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "proto/peer.pb.h"
#include "proto/status.pb.h"

namespace starling {

// "JOINING", "ALIVE", ...
absl::string_view StateName(v1::PeerState state);

// "peer 00000000000000ab at 10.0.0.1:7001 (slot 2)"
std::string Describe(const v1::Member& member);

// The row as the status service shows it; rtt and self are the caller's to fill.
v1::PeerStatus ToPeerStatus(const v1::Member& member);

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_MEMBER_TEXT_H_
