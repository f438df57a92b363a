// "host:port", how daemons name one another.

#ifndef STARLING_PEER_RUNTIME_HOST_PORT_H_
#define STARLING_PEER_RUNTIME_HOST_PORT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace starling {

struct HostPort {
  std::string host;
  std::string port;
};

// Splits "host:port", "[v6]:port". INVALID_ARGUMENT if there is no host, or no port in 0 to 65535.
absl::StatusOr<HostPort> ParseHostPort(absl::string_view address);

// OK if others can be told to dial `address`: host:port in at most 256 printable characters with a
// port that is not 0. INVALID_ARGUMENT otherwise.
absl::Status ValidateDialable(absl::string_view address);

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_HOST_PORT_H_
