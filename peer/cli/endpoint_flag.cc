#include "peer/cli/endpoint_flag.h"

#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"

ABSL_FLAG(std::string, endpoint, "127.0.0.1:7700", "host:port of the daemon to ask");

namespace starling {

absl::StatusOr<std::unique_ptr<StatusClient>> ClientForEndpoint() {
  absl::StatusOr<std::unique_ptr<StatusClient>> client =
      StatusClient::Create(absl::GetFlag(FLAGS_endpoint));
  if (!client.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--endpoint: ", client.status().message()));
  }
  return client;
}

}  // namespace starling
