#include "peer/cli/demo_swarm.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "peer/cli/temp_directory.h"
#include "peer/cli/words.h"

namespace starling {
namespace {

constexpr char kCoordinator[] = "coordinatord";
// How long a daemon on this machine may take to answer before it counts as silent.
constexpr absl::Duration kAnswerWait = absl::Milliseconds(400);
constexpr absl::Duration kListenWait = absl::Seconds(20);
constexpr absl::Duration kListenPoll = absl::Milliseconds(20);
// From SIGTERM to SIGKILL.
constexpr absl::Duration kPeerGrace = absl::Seconds(5);
constexpr absl::Duration kCoordinatorGrace = absl::Seconds(3);
constexpr int kLogLines = 10;

// Ending on our SIGTERM is in order, even before the daemon had a handler for it.
bool EndedInOrder(const ProcessEnd& end) { return end.ok() || end.signal == SIGTERM; }

const v1::PeerStatus* FindDead(const google::protobuf::RepeatedPtrField<v1::PeerStatus>& rows,
                               const std::string& peer_id) {
  for (const v1::PeerStatus& row : rows) {
    if (row.peer_id() == peer_id && row.state() == v1::PEER_STATE_DEAD) return &row;
  }
  return nullptr;
}

DeathReport ReportFrom(const v1::PeerStatus& row, std::string reporter) {
  return {.state = StateWord(row.state()),
          .reason = row.reason(),
          .reported_by = std::move(reporter)};
}

}  // namespace

DemoSwarm::DemoSwarm(Options options, const StopSignal* stop)
    : options_(std::move(options)), stop_(stop) {}

absl::Status DemoSwarm::Start() {
  absl::StatusOr<Daemon> coordinator =
      Launch(options_.paths.coordinatord, kCoordinator,
             CoordinatorArguments(options_.demo, AddressFile(kCoordinator)));
  if (!coordinator.ok()) return coordinator.status();
  coordinator_ = *std::move(coordinator);
  if (absl::Status status = WaitForCoordinator(); !status.ok()) return status;
  for (int i = 0; i < options_.demo.peers; ++i) {
    if (absl::Status status = AddWorker(/*newcomer=*/false); !status.ok()) return status;
  }
  return options_.demo.centre ? AddPeer({.name = "centre", .centre = true}) : absl::OkStatus();
}

absl::Status DemoSwarm::WaitForCoordinator() {
  const absl::Time end = absl::Now() + kListenWait;
  while (coordinator_address_.empty()) {
    if (stop_->number() != 0) return absl::CancelledError("stopped by a signal");
    ReapEnded();
    if (!coordinator_failure_.empty()) {
      return absl::UnavailableError(
          absl::StrCat(kCoordinator, " ended before it listened: ", coordinator_failure_));
    }
    if (absl::Now() > end) {
      return absl::UnavailableError(absl::StrCat(kCoordinator, " did not come to listen within ",
                                                 DurationText(kListenWait)));
    }
    stop_->Sleep(kListenPoll);
    coordinator_address_ = FirstLine(coordinator_.address_file);
  }
  absl::StatusOr<std::unique_ptr<StatusClient>> client = StatusClient::Create(coordinator_address_);
  if (!client.ok()) {
    return absl::UnavailableError(
        absl::StrCat("the address that ", kCoordinator, " wrote: ", client.status().message()));
  }
  coordinator_.client = *std::move(client);
  return absl::OkStatus();
}

absl::StatusOr<DemoSwarm::Daemon> DemoSwarm::Launch(const std::string& program,
                                                    const std::string& name,
                                                    std::vector<std::string> arguments) {
  absl::StatusOr<ChildProcess> process = ChildProcess::Spawn(
      {.program = program, .arguments = std::move(arguments), .log_path = LogPath(name)});
  if (!process.ok()) return absl::UnavailableError(process.status().message());
  Daemon daemon;
  daemon.process = *std::move(process);
  daemon.address_file = AddressFile(name);
  return daemon;
}

absl::Status DemoSwarm::AddWorker(bool newcomer) {
  const auto workers = std::count_if(peers_.begin(), peers_.end(),
                                     [](const DemoPeer& peer) { return !peer.centre; });
  return AddPeer({.name = absl::StrCat("p", workers), .newcomer = newcomer});
}

absl::Status DemoSwarm::AddPeer(DemoPeer peer) {
  absl::StatusOr<Daemon> daemon =
      Launch(options_.paths.peerd, peer.name,
             PeerArguments(options_.demo, peer.name, peer.centre, coordinator_address_,
                           AddressFile(peer.name)));
  if (!daemon.ok()) return daemon.status();
  daemons_.push_back(*std::move(daemon));
  peer.running = true;
  peers_.push_back(std::move(peer));
  return absl::OkStatus();
}

absl::Status DemoSwarm::AddNewcomer() { return AddWorker(/*newcomer=*/true); }

void DemoSwarm::Poll() {
  ReapEnded();
  AskAll();
  LookForDeaths();
}

void DemoSwarm::ReapEnded() {
  if (coordinator_.process && coordinator_failure_.empty()) {
    if (std::optional<ProcessEnd> end = coordinator_.process->Poll()) {
      coordinator_failure_ = end->ToString();
      coordinator_exit_code_ = end->code;
    }
  }
  for (size_t i = 0; i < peers_.size(); ++i) {
    if (!peers_[i].running) continue;
    if (std::optional<ProcessEnd> end = daemons_[i].process->Poll()) {
      peers_[i].running = false;
      peers_[i].answered = false;
      if (end->ok() && peers_[i].first_step) {
        peers_[i].left = true;
        continue;
      }
      peers_[i].failure = end->ToString();
      peers_[i].failure_exit_code = end->code;
    }
  }
}

void DemoSwarm::AskAll() {
  std::vector<StatusClient*> clients;
  for (size_t i = 0; i < peers_.size(); ++i) {
    Daemon& daemon = daemons_[i];
    if (peers_[i].running && daemon.client == nullptr) {
      if (auto client = StatusClient::Create(FirstLine(daemon.address_file)); client.ok()) {
        daemon.client = *std::move(client);
      }
    }
    clients.push_back(peers_[i].running ? daemon.client.get() : nullptr);
  }
  std::vector<absl::StatusOr<v1::Status>> answers = GetStatuses(clients, kAnswerWait);
  for (size_t i = 0; i < peers_.size(); ++i) {
    DemoPeer& peer = peers_[i];
    peer.answered = answers[i].ok();
    if (!peer.answered) continue;
    peer.known = true;
    peer.status = *std::move(answers[i]);
    if (!peer.first_step && peer.Trains()) peer.first_step = peer.status.training().step();
  }
}

void DemoSwarm::LookForDeaths() {
  for (DemoPeer& lost : peers_) {
    if (!lost.killed || lost.death) continue;
    const std::string& id = lost.status.peer_id();
    if (coordinator_.client != nullptr && coordinator_failure_.empty()) {
      if (auto list = coordinator_.client->ListPeers(kAnswerWait); list.ok()) {
        if (const v1::PeerStatus* row = FindDead(list->peers(), id)) {
          lost.death = ReportFrom(*row, "coordinator");
        }
      }
    }
    for (const DemoPeer& witness : peers_) {
      if (lost.death || !witness.answered) continue;
      if (const v1::PeerStatus* row = FindDead(witness.status.peers(), id)) {
        lost.death = ReportFrom(*row, witness.name);
      }
    }
  }
}

pid_t DemoSwarm::ProcessOf(size_t peer) const {
  return peers_[peer].running ? daemons_[peer].process->pid() : -1;
}

void DemoSwarm::Kill(int peer) {
  DemoPeer& lost = peers_[peer];
  daemons_[peer].process->Kill();
  lost.running = false;
  lost.answered = false;
  lost.killed = true;
}

absl::StatusOr<v1::EvaluateAverageResponse> DemoSwarm::EvaluateAverage(absl::Duration timeout) {
  const absl::Time end = absl::Now() + timeout;
  absl::StatusOr<v1::EvaluateAverageResponse> answer = absl::UnavailableError("no peer is running");
  for (size_t i = 0; i < peers_.size() && !answer.ok() && stop_->number() == 0; ++i) {
    if (!peers_[i].running || peers_[i].centre || daemons_[i].client == nullptr) continue;
    answer = daemons_[i].client->EvaluateAverage(end - absl::Now(),
                                                 [this] { return stop_->number() != 0; });
  }
  return answer;
}

void DemoSwarm::Stop() {
  ReapEnded();
  const auto hurry = [this] { return stop_->count() >= 2; };
  std::vector<ChildProcess*> processes;
  std::vector<DemoPeer*> stopped;
  for (size_t i = 0; i < peers_.size(); ++i) {
    if (!peers_[i].running) continue;
    processes.push_back(&*daemons_[i].process);
    stopped.push_back(&peers_[i]);
  }
  const std::vector<bool> killed = StopProcesses(processes, kPeerGrace, hurry);
  for (size_t i = 0; i < stopped.size(); ++i) {
    stopped[i]->running = false;
    const ProcessEnd end = *processes[i]->Poll();
    if (killed[i]) {
      if (!hurry()) {
        stopped[i]->failure =
            absl::StrCat("did not end within ", DurationText(kPeerGrace), " of SIGTERM");
      }
    } else if (!EndedInOrder(end)) {
      stopped[i]->failure = absl::StrCat(end.ToString(), " after SIGTERM");
      stopped[i]->failure_exit_code = end.code;
    }
  }
  if (!coordinator_.process || !coordinator_failure_.empty()) return;
  const bool coordinator_killed =
      StopProcesses({&*coordinator_.process}, kCoordinatorGrace, hurry)[0];
  const ProcessEnd end = *coordinator_.process->Poll();
  if (!coordinator_killed && !EndedInOrder(end)) {
    coordinator_failure_ = absl::StrCat(end.ToString(), " after SIGTERM");
  } else if (coordinator_killed && !hurry()) {
    coordinator_failure_ =
        absl::StrCat("did not end within ", DurationText(kCoordinatorGrace), " of SIGTERM");
  }
}

std::vector<std::string> DemoSwarm::LogOf(absl::string_view name) const {
  return LastLines(LogPath(name), kLogLines);
}

std::string DemoSwarm::LogPath(absl::string_view name) const {
  return absl::StrCat(options_.log_directory, "/", name, ".log");
}

std::string DemoSwarm::AddressFile(absl::string_view name) const {
  return absl::StrCat(options_.work_directory, "/", name, ".address");
}

}  // namespace starling
