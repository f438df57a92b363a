// `starling leave`: asks a daemon to go, and waits until it has gone.

#include <cstdio>
#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "peer/cli/commands.h"
#include "peer/cli/endpoint_flag.h"
#include "peer/cli/stop_signal.h"
#include "peer/cli/words.h"
#include "peer/runtime/exit_codes.h"

ABSL_FLAG(std::string, reason, "starling leave", "told to the other members");

namespace starling {
namespace {

constexpr absl::Duration kGoneWait = absl::Seconds(10);
constexpr absl::Duration kPoll = absl::Milliseconds(100);

constexpr char kHelp[] =
    R"(Asks the daemon at --endpoint to leave the swarm in good order: it ends its exchanges, tells
the others and exits. Waits up to 10 s until it has gone. The others train on.

example:
  starling leave --endpoint=10.0.0.7:7700 --reason="reboot for a new kernel"

exit codes: 0 it is gone, 64 wrong usage, 69 no daemon answers there, 75 it agreed, but is still
there after 10 s
)";

int Run(const std::string&) {
  absl::StatusOr<std::unique_ptr<StatusClient>> client = ClientForEndpoint();
  if (!client.ok()) return Fail(client.status());
  const StopSignal stop;
  const auto stopped = [&stop] { return stop.number() != 0; };
  if (absl::Status asked =
          (*client)->Leave(absl::GetFlag(FLAGS_reason), kSmallAnswerWait, stopped);
      !asked.ok()) {
    return stopped() ? ExitCodeForSignal(stop.number()) : Fail(asked);
  }
  const absl::Time start = absl::Now();
  while (absl::Now() - start < kGoneWait) {
    // A daemon that is shutting down may be silent for a while before its port closes.
    const absl::StatusOr<v1::Status> status = (*client)->GetStatus(absl::Seconds(1), stopped);
    if (stopped()) return ExitCodeForSignal(stop.number());
    if (absl::IsUnavailable(status.status())) {
      std::fputs(absl::StrCat("the daemon at ", (*client)->endpoint(), " has left after ",
                              DurationText(absl::Now() - start), "\n")
                     .c_str(),
                 stdout);
      return kExitOk;
    }
    stop.Sleep(kPoll);
  }
  return Fail(absl::DeadlineExceededError(
      absl::StrCat("the daemon at ", (*client)->endpoint(),
                   " agreed to leave, but is still there after ", DurationText(kGoneWait))));
}

}  // namespace

Command LeaveCommand() {
  return {.name = "leave",
          .summary = "ask a daemon to leave the swarm in good order",
          .help = kHelp,
          .flag_files = {kEndpointFlagFile, "peer/cli/leave_command.cc"},
          .run = Run};
}

}  // namespace starling
