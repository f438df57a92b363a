// `starling top`: a live table of the whole swarm.

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "peer/cli/commands.h"
#include "peer/cli/endpoint_flag.h"
#include "peer/cli/live_screen.h"
#include "peer/cli/live_view.h"
#include "peer/cli/stop_signal.h"
#include "peer/cli/words.h"
#include "peer/runtime/exit_codes.h"

ABSL_FLAG(uint32_t, interval_ms, 1000, "milliseconds between frames, 100 to 60000");
ABSL_FLAG(uint32_t, frames, 0, "frames to show before the end; 0 is until Ctrl-C");

namespace starling {
namespace {

constexpr absl::Duration kPeerAnswerWait = absl::Seconds(1);

constexpr char kHelp[] =
    R"(Shows every peer of the swarm in a table that is redrawn until Ctrl-C; where nothing can be
redrawn (a pipe, a file), prints one table after another. The daemon at --endpoint, a peer or
the coordinator, is asked for the members, and each of these for its status.

example:
  starling top --endpoint=10.0.0.7:7700

exit codes: 0 ended by Ctrl-C or after --frames, 64 wrong usage, 69 no daemon answers there,
75 it did not answer in time
)";

class Top {
 public:
  explicit Top(StatusClient* client) : client_(client) {}

  // One frame, or why there is none: then the daemon at --endpoint does not answer.
  absl::StatusOr<LiveFrame> Look(const StopSignal& stop) {
    const absl::StatusOr<v1::Status> status =
        client_->GetStatus(kSmallAnswerWait, [&stop] { return stop.number() != 0; });
    if (!status.ok()) return status.status();
    LiveFrame frame = {.title = absl::StrCat("top ", client_->endpoint()),
                       .run_id = status->run_id(),
                       .algorithm = AlgorithmText(status->config().algorithm()),
                       .elapsed = absl::Seconds(status->uptime_seconds())};
    std::vector<StatusClient*> clients;
    for (const v1::PeerStatus& member : status->peers()) {
      clients.push_back(IsPresent(member.state()) ? ClientFor(member.address()) : nullptr);
    }
    std::vector<absl::StatusOr<v1::Status>> answers = GetStatuses(clients, kPeerAnswerWait);
    for (int i = 0; i < status->peers_size(); ++i) {
      const v1::PeerStatus& member = status->peers(i);
      LivePeer row = {.name = member.peer_id()};
      if (answers[i].ok()) {
        row.known = true;
        row.status = *std::move(answers[i]);
      } else {
        row.note = IsPresent(member.state()) ? "no answer" : StateWord(member.state());
      }
      frame.peers.push_back(std::move(row));
    }
    frame.progress = MeanProgress(frame.peers);
    return frame;
  }

 private:
  // Null if the address cannot be dialled.
  StatusClient* ClientFor(const std::string& address) {
    std::unique_ptr<StatusClient>& client = clients_[address];
    if (client == nullptr) {
      if (auto created = StatusClient::Create(address); created.ok()) client = *std::move(created);
    }
    return client.get();
  }

  StatusClient* const client_;
  std::map<std::string, std::unique_ptr<StatusClient>> clients_;
};

int Run(const std::string&) {
  const uint32_t interval_ms = absl::GetFlag(FLAGS_interval_ms);
  if (interval_ms < 100 || interval_ms > 60000) {
    return Fail(absl::InvalidArgumentError(
        absl::StrCat("--interval_ms=", interval_ms, " is out of range; it takes 100 to 60000")));
  }
  absl::StatusOr<std::unique_ptr<StatusClient>> client = ClientForEndpoint();
  if (!client.ok()) return Fail(client.status());
  const StopSignal stop;
  Top top(client->get());
  LiveScreen screen(stdout);
  const uint32_t frames = absl::GetFlag(FLAGS_frames);
  for (uint32_t shown = 0; frames == 0 || shown < frames; ++shown) {
    if (shown > 0) stop.Sleep(absl::Milliseconds(interval_ms));
    if (stop.number() != 0) break;
    const absl::StatusOr<LiveFrame> frame = top.Look(stop);
    if (stop.number() != 0) break;
    if (!frame.ok()) return Fail(frame.status());
    std::vector<std::string> lines = RenderFrame(*frame, screen.colour());
    if (!screen.live()) lines.push_back("");
    screen.Draw(lines);
  }
  const bool asked = stop.number() == 0 || stop.number() == SIGINT;
  return asked ? kExitOk : ExitCodeForSignal(stop.number());
}

}  // namespace

Command TopCommand() {
  return {.name = "top",
          .summary = "a live table of the swarm",
          .help = kHelp,
          .flag_files = {kEndpointFlagFile, "peer/cli/top_command.cc"},
          .run = Run};
}

}  // namespace starling
