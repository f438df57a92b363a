// `starling peers`: the members that a daemon knows.

#include <cstdio>
#include <string>

#include "peer/cli/commands.h"
#include "peer/cli/endpoint_flag.h"
#include "peer/cli/json_output.h"
#include "peer/cli/output_flag.h"
#include "peer/cli/status_view.h"
#include "peer/runtime/exit_codes.h"

namespace starling {
namespace {

constexpr char kHelp[] =
    R"(Lists the members of the swarm as one daemon sees them, the departed included, with the
reason for their state: DEAD after silence, LEFT after a goodbye, SUSPECT while in doubt.

example:
  starling peers --endpoint=10.0.0.7:7700

exit codes: 0 ok, 64 wrong usage, 69 no daemon answers there, 75 it did not answer in time
)";

int Run(const std::string&) {
  if (absl::Status format = RefuseMarkdown(); !format.ok()) return Fail(format);
  absl::StatusOr<std::unique_ptr<StatusClient>> client = ClientForEndpoint();
  if (!client.ok()) return Fail(client.status());
  const absl::StatusOr<v1::ListPeersResponse> peers = (*client)->ListPeers(kSmallAnswerWait);
  if (!peers.ok()) return Fail(peers.status());
  std::fputs(WantedOutput() == OutputFormat::kJson ? MessageJson(*peers).c_str()
                                                   : RenderPeers(*peers).c_str(),
             stdout);
  return kExitOk;
}

}  // namespace

Command PeersCommand() {
  return {.name = "peers",
          .summary = "the members that a daemon knows, and why they are in their state",
          .help = kHelp,
          .flag_files = {kEndpointFlagFile, kOutputFlagFile},
          .run = Run};
}

}  // namespace starling
