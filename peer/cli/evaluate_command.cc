// `starling evaluate`: how good the average of all living peers' models is.

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "peer/cli/commands.h"
#include "peer/cli/endpoint_flag.h"
#include "peer/cli/json_output.h"
#include "peer/cli/output_flag.h"
#include "peer/cli/stop_signal.h"
#include "peer/cli/words.h"
#include "peer/runtime/exit_codes.h"
#include "peer/runtime/one_line.h"

namespace starling {
namespace {

constexpr absl::Duration kEvaluationWait = absl::Minutes(5);

constexpr char kHelp[] =
    R"(Has the peer at --endpoint fetch the parameters of every living peer, average copies of them
and evaluate the average on the test set. Training goes on and nothing changes. Takes as long as
fetching and one pass over the test set, 5 minutes at most.

example:
  starling evaluate --endpoint=10.0.0.7:7700

exit codes: 0 ok, 64 wrong usage, 69 no daemon answers there, or it is still joining, 75 it is
busy with another evaluation, or was not done in time, 1 it is a coordinator
)";

std::string Render(const v1::EvaluateAverageResponse& averaged) {
  std::string text = absl::StrCat(
      "test accuracy       ", AccuracyText(averaged.test_accuracy()), "\n",  //
      "test loss           ", NumberText(averaged.test_loss()), "\n",        //
      "peers averaged      ", averaged.peer_ids_size(), "\n",                //
      "consensus distance  ", NumberText(averaged.consensus_distance()), "\n");
  for (const std::string& missing : averaged.missing()) {
    absl::StrAppend(&text, "missing             ", OneLine(missing), "\n");
  }
  return text;
}

int Run(const std::string&) {
  if (absl::Status format = RefuseMarkdown(); !format.ok()) return Fail(format);
  absl::StatusOr<std::unique_ptr<StatusClient>> client = ClientForEndpoint();
  if (!client.ok()) return Fail(client.status());
  const StopSignal stop;
  const absl::StatusOr<v1::EvaluateAverageResponse> averaged = (*client)->EvaluateAverage(
      kEvaluationWait, [&stop] { return stop.number() != 0; });
  if (stop.number() != 0) return ExitCodeForSignal(stop.number());
  if (!averaged.ok()) return Fail(averaged.status());
  std::fputs(WantedOutput() == OutputFormat::kJson ? MessageJson(*averaged).c_str()
                                                   : Render(*averaged).c_str(),
             stdout);
  return kExitOk;
}

}  // namespace

Command EvaluateCommand() {
  return {.name = "evaluate",
          .summary = "test accuracy of the average of all living peers",
          .help = kHelp,
          .flag_files = {kEndpointFlagFile, kOutputFlagFile},
          .run = Run};
}

}  // namespace starling
