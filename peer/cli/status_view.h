// What `starling status` and `starling peers` show to people. Pure.

#ifndef STARLING_PEER_CLI_STATUS_VIEW_H_
#define STARLING_PEER_CLI_STATUS_VIEW_H_

#include <string>

#include "proto/status.pb.h"

namespace starling {

// Groups of "name: value" lines; a coordinator's status has no groups about training.
std::string RenderStatus(const v1::Status& status);

// One row a member: those present first, then the departed with the reason.
std::string RenderPeers(const v1::ListPeersResponse& peers);

}  // namespace starling

#endif  // STARLING_PEER_CLI_STATUS_VIEW_H_
