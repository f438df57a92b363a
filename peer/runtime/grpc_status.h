// absl::Status and grpc::Status say the same with the same numbers; these turn one into the other.

#ifndef STARLING_PEER_RUNTIME_GRPC_STATUS_H_
#define STARLING_PEER_RUNTIME_GRPC_STATUS_H_

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace starling {

grpc::Status ToGrpcStatus(const absl::Status& status);

// Codes that gRPC does not define become UNKNOWN.
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_GRPC_STATUS_H_
