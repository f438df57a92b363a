// `starling limit`: shows or changes what a daemon may send and receive.

#include <cstdio>
#include <optional>
#include <string>

#include "absl/flags/flag.h"
#include "peer/cli/commands.h"
#include "peer/cli/endpoint_flag.h"
#include "peer/cli/limits_view.h"
#include "peer/cli/stop_signal.h"
#include "peer/runtime/exit_codes.h"
#include "peer/transport/limit_text.h"

ABSL_FLAG(std::optional<std::string>, send, std::nullopt,
          "most bytes of parameters a second that it sends: 500kB, 20Mbit; 0 lifts the limit");
ABSL_FLAG(std::optional<std::string>, receive, std::nullopt, "the same for what it receives");
ABSL_FLAG(std::optional<std::string>, send_per_peer, std::nullopt,
          "the same for what it sends to any one peer");
ABSL_FLAG(std::optional<std::string>, receive_per_peer, std::nullopt,
          "the same for what it receives from any one peer");
ABSL_FLAG(std::optional<std::string>, send_per_day, std::nullopt,
          "most bytes that it sends in any 24 hours: 2GB; 0 lifts the limit");
ABSL_FLAG(std::optional<std::string>, receive_per_day, std::nullopt,
          "the same for what it receives");

namespace starling {
namespace {

constexpr char kHelp[] =
    R"(Changes what the daemon at --endpoint may send and receive, from now on and until it ends; limits
that are not given stay. Without any it shows them, and what they cost at present.

Exchanges with other peers keep within the limits. What is scarce first costs precision: parameters travel
as bf16, differences as int8 or in 4 bits. Where that is not enough it costs frequency: exchanges that are
due are skipped. A limit on what is received also asks others for coarser replies, and to be left alone for a
while. What averaging rounds and newcomers take is counted, but not held up; exchanges make up for it.
Membership is not limited. Up to an exchange of the whole model, or a second's worth if that is more, may
go at once.

examples:
  starling limit --endpoint=10.0.0.7:7700 --send=20Mbit
  starling limit --endpoint=10.0.0.7:7700 --send_per_day=2GB --receive_per_day=5GB
  starling limit --endpoint=10.0.0.7:7700 --send=0 --send_per_day=0       no limits on sending
  starling limit --endpoint=10.0.0.7:7700                                 what holds now

exit codes: 0 done, 1 it is a coordinator, which moves no parameters, 64 wrong usage, 69 no daemon answers
there, or it is still starting, 78 its algorithm makes no exchanges that could be limited
)";

int Run(const std::string&) {
  const absl::StatusOr<v1::LinkLimits> wanted =
      ParseLimits("--", {.send = absl::GetFlag(FLAGS_send),
                         .receive = absl::GetFlag(FLAGS_receive),
                         .send_per_peer = absl::GetFlag(FLAGS_send_per_peer),
                         .receive_per_peer = absl::GetFlag(FLAGS_receive_per_peer),
                         .send_per_day = absl::GetFlag(FLAGS_send_per_day),
                         .receive_per_day = absl::GetFlag(FLAGS_receive_per_day)});
  if (!wanted.ok()) return Fail(wanted.status());
  absl::StatusOr<std::unique_ptr<StatusClient>> client = ClientForEndpoint();
  if (!client.ok()) return Fail(client.status());
  const StopSignal stop;
  const auto stopped = [&stop] { return stop.number() != 0; };
  const absl::StatusOr<v1::LinkLimits> limits =
      (*client)->SetLimits(*wanted, kSmallAnswerWait, stopped);
  if (stopped()) return ExitCodeForSignal(stop.number());
  if (!limits.ok()) return Fail(limits.status());
  const absl::StatusOr<v1::Status> status = (*client)->GetStatus(kSmallAnswerWait, stopped);
  if (stopped()) return ExitCodeForSignal(stop.number());
  if (!status.ok()) return Fail(status.status());
  std::fputs(RenderLimits(status->gossip().budget()).c_str(), stdout);
  return kExitOk;
}

}  // namespace

Command LimitCommand() {
  return {.name = "limit",
          .summary = "show or change what a daemon may send and receive",
          .help = kHelp,
          .flag_files = {kEndpointFlagFile, "peer/cli/limit_command.cc"},
          .run = Run};
}

}  // namespace starling
