// The two kinds of connection to another daemon, and the settings that both ends of one share.
//
// A control channel carries small calls; a data channel carries tensors. They never share a
// connection: on a slow link a small call behind tensors takes a second instead of 10 ms.
// Neither waits: a call to an address where nobody listens fails at once with UNAVAILABLE. A daemon
// that comes back at the same address is found within 2 s. No proxy from the environment is used.

#ifndef STARLING_PEER_RUNTIME_GRPC_CHANNEL_H_
#define STARLING_PEER_RUNTIME_GRPC_CHANNEL_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "grpcpp/channel.h"

namespace starling {

// Largest message on a data connection: a payload of 16 MiB and its header.
inline constexpr int kMaxDataMessageBytes = 17 << 20;

// gRPC channel arguments that let one stream of 1 MiB messages run at the speed of TCP. Used by
// data channels and by the server.
const std::vector<std::pair<std::string, int>>& BulkTuning();

// `address` is host:port.
std::shared_ptr<grpc::Channel> MakeControlChannel(const std::string& address);
std::shared_ptr<grpc::Channel> MakeDataChannel(const std::string& address);

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_GRPC_CHANNEL_H_
