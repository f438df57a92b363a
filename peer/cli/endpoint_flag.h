// --endpoint, the flag of every command that talks to one running daemon.

#ifndef STARLING_PEER_CLI_ENDPOINT_FLAG_H_
#define STARLING_PEER_CLI_ENDPOINT_FLAG_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "peer/cli/grpc_status_client.h"

namespace starling {

// The file that defines the flag, for Command::flag_files.
inline constexpr char kEndpointFlagFile[] = "peer/cli/endpoint_flag.cc";

// How long a daemon may take to answer a small question.
inline constexpr absl::Duration kSmallAnswerWait = absl::Seconds(5);

// A client for the daemon at --endpoint; makes no call yet. INVALID_ARGUMENT: not host:port.
absl::StatusOr<std::unique_ptr<StatusClient>> ClientForEndpoint();

}  // namespace starling

#endif  // STARLING_PEER_CLI_ENDPOINT_FLAG_H_
