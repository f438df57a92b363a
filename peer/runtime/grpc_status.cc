#include "peer/runtime/grpc_status.h"

#include <string>

namespace starling {

grpc::Status ToGrpcStatus(const absl::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()));
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  const bool known = status.error_code() >= grpc::StatusCode::OK &&
                     status.error_code() <= grpc::StatusCode::UNAUTHENTICATED;
  return absl::Status(
      known ? static_cast<absl::StatusCode>(status.error_code()) : absl::StatusCode::kUnknown,
      status.error_message());
}

}  // namespace starling
