// `starling status`: one daemon's whole status.

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
    R"(Shows what one daemon, a peer or the coordinator, says of itself: training, gossip,
averaging, its link to the coordinator, and the run configuration in effect.

example:
  starling status --endpoint=10.0.0.7:7700 --output=json | jq .training.step

exit codes: 0 ok, 64 wrong usage, 69 no daemon answers there, 75 it did not answer in time
)";

int Run(const std::string&) {
  if (absl::Status format = RefuseMarkdown(); !format.ok()) return Fail(format);
  absl::StatusOr<std::unique_ptr<StatusClient>> client = ClientForEndpoint();
  if (!client.ok()) return Fail(client.status());
  const absl::StatusOr<v1::Status> status = (*client)->GetStatus(kSmallAnswerWait);
  if (!status.ok()) return Fail(status.status());
  std::fputs(WantedOutput() == OutputFormat::kJson ? MessageJson(*status).c_str()
                                                   : RenderStatus(*status).c_str(),
             stdout);
  return kExitOk;
}

}  // namespace

Command StatusCommand() {
  return {.name = "status",
          .summary = "what one daemon is doing",
          .help = kHelp,
          .flag_files = {kEndpointFlagFile, kOutputFlagFile},
          .run = Run};
}

}  // namespace starling
