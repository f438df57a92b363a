#include "peer/cli/chaos_swarm.h"

#include <csignal>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "peer/cli/temp_directory.h"
#include "peer/cli/words.h"

namespace starling {
namespace {

constexpr char kCoordinator[] = "coordinatord";
constexpr absl::Duration kAnswerWait = absl::Milliseconds(400);
constexpr absl::Duration kStartWait = absl::Seconds(60);
constexpr absl::Duration kStartPoll = absl::Milliseconds(100);
// From SIGTERM to SIGKILL.
constexpr absl::Duration kGrace = absl::Seconds(3);
constexpr int kPort = 7700;
constexpr int kCoordinatorNode = 0;

ChaosPeerSample SampleFrom(const v1::Status& status,
                           const std::map<std::string, int>& number_of_id) {
  ChaosPeerSample sample;
  sample.answered = true;
  sample.training = status.phase() == v1::PHASE_TRAINING;
  sample.coordinator_connected = status.coordinator().connected();
  sample.step = status.training().step();
  sample.commits = status.gossip().exchanges_committed();
  sample.consensus_distance = status.gossip().consensus_distance();
  sample.view.assign(number_of_id.size(), v1::PEER_STATE_UNSPECIFIED);
  for (const v1::PeerStatus& row : status.peers()) {
    const auto known = number_of_id.find(row.peer_id());
    if (known == number_of_id.end()) continue;
    if (known->second >= static_cast<int>(sample.view.size())) {
      sample.view.resize(known->second + 1, v1::PEER_STATE_UNSPECIFIED);
    }
    sample.view[known->second] = row.state();
  }
  return sample;
}

}  // namespace

ChaosSwarm::ChaosSwarm(Options options, const StopSignal* stop)
    : options_(std::move(options)), stop_(stop) {
  coordinator_.name = kCoordinator;
}

absl::Status ChaosSwarm::Start() {
  if (absl::Status status = LaunchCoordinator({}); !status.ok()) return status;
  absl::Status listens = WaitFor("coordinatord to listen", [this] {
    coordinator_address_ = FirstLine(AddressFile(kCoordinator));
    return !coordinator_address_.empty();
  });
  if (!listens.ok()) return listens;
  for (int i = 0; i < options_.demo.peers; ++i) {
    if (absl::Status status = AddPeer(); !status.ok()) return status;
  }
  return WaitFor("all peers to train", [this] { return AllTrain(); });
}

absl::Status ChaosSwarm::WaitFor(absl::string_view what, const std::function<bool()>& done) {
  const absl::Time end = absl::Now() + kStartWait;
  while (!done()) {
    if (stop_->number() != 0) return absl::CancelledError("stopped by a signal");
    if (std::string failure = Failure(); !failure.empty()) return Explain(failure);
    if (absl::Now() > end) {
      return absl::UnavailableError(
          absl::StrCat("waited ", DurationText(kStartWait), " in vain for ", what));
    }
    stop_->Sleep(kStartPoll);
  }
  return absl::OkStatus();
}

absl::Status ChaosSwarm::Explain(absl::string_view what) {
  const std::string name(what.substr(0, what.find(':')));
  const std::vector<std::string> lines = LastLines(LogPath(name), 1);
  return absl::UnavailableError(absl::StrCat(what, lines.empty() ? "" : ": ",
                                             lines.empty() ? "" : lines.front()));
}

absl::Status ChaosSwarm::Launch(Daemon& daemon, const std::string& program, int node,
                                std::vector<std::string> arguments) {
  // Of a flag given twice the later counts.
  arguments.push_back(absl::StrCat("--preset=", options_.preset));
  ChildProcess::Options child = {.program = program, .log_path = LogPath(daemon.name)};
  if (options_.network != nullptr) {
    child.network_namespace = options_.network->node_namespace(node);
    arguments.push_back(absl::StrCat("--listen=", options_.network->address(node), ":", kPort));
  }
  child.arguments = std::move(arguments);
  absl::StatusOr<ChildProcess> process = ChildProcess::Spawn(child);
  if (!process.ok()) return absl::UnavailableError(process.status().message());
  daemon.process = *std::move(process);
  return absl::OkStatus();
}

absl::Status ChaosSwarm::LaunchCoordinator(std::vector<std::string> more) {
  std::vector<std::string> arguments =
      CoordinatorArguments(options_.demo, AddressFile(kCoordinator));
  arguments.insert(arguments.end(), more.begin(), more.end());
  return Launch(coordinator_, options_.paths.coordinatord, kCoordinatorNode,
                std::move(arguments));
}

absl::Status ChaosSwarm::AddPeer() {
  Daemon daemon;
  daemon.name = absl::StrCat("p", peers_.size());
  std::vector<std::string> arguments =
      PeerArguments(options_.demo, daemon.name, /*centre=*/false, coordinator_address_,
                    AddressFile(daemon.name));
  // An evaluation would pause the steps that are watched.
  arguments.push_back("--evaluate_every=0");
  const int node = kCoordinatorNode + 1 + peers();
  if (absl::Status status =
          Launch(daemon, options_.paths.peerd, node, std::move(arguments));
      !status.ok()) {
    return status;
  }
  peers_.push_back(std::move(daemon));
  return absl::OkStatus();
}

std::vector<StatusClient*> ChaosSwarm::Clients() {
  std::vector<StatusClient*> clients;
  for (Daemon& peer : peers_) {
    if (peer.client == nullptr && !peer.killed) {
      const std::string address = FirstLine(AddressFile(peer.name));
      if (auto client = StatusClient::Create(address); client.ok()) {
        peer.client = *std::move(client);
      }
    }
    const bool asked = !peer.killed && !peer.frozen && !peer.unasked;
    clients.push_back(asked ? peer.client.get() : nullptr);
  }
  return clients;
}

ChaosSample ChaosSwarm::Sample(absl::Time start) {
  std::vector<absl::StatusOr<v1::Status>> answers = GetStatuses(Clients(), kAnswerWait);
  ChaosSample sample;
  sample.at = absl::ToDoubleSeconds(absl::Now() - start);
  for (int i = 0; i < peers(); ++i) {
    if (answers[i].ok() && !answers[i]->peer_id().empty()) {
      number_of_id_.emplace(answers[i]->peer_id(), i);
    }
  }
  for (const absl::StatusOr<v1::Status>& answer : answers) {
    sample.peers.push_back(answer.ok() ? SampleFrom(*answer, number_of_id_) : ChaosPeerSample());
  }
  return sample;
}

bool ChaosSwarm::AllTrain() {
  const ChaosSample sample = Sample(absl::Now());
  for (const ChaosPeerSample& peer : sample.peers) {
    if (!peer.training || peer.step == 0) return false;
  }
  return true;
}

void ChaosSwarm::Kill(int peer) {
  peers_[peer].killed = true;
  peers_[peer].process->Kill();
}

void ChaosSwarm::Freeze(int peer) {
  peers_[peer].frozen = true;
  peers_[peer].process->Signal(SIGSTOP);
}

void ChaosSwarm::Thaw(int peer) {
  peers_[peer].process->Signal(SIGCONT);
  peers_[peer].frozen = false;
}

void ChaosSwarm::LeaveUnasked(int peer, bool unasked) { peers_[peer].unasked = unasked; }

void ChaosSwarm::KillCoordinator() {
  coordinator_.killed = true;
  coordinator_.process->Kill();
}

absl::Status ChaosSwarm::RestartCoordinator() {
  coordinator_.killed = false;
  return LaunchCoordinator({absl::StrCat("--listen=", coordinator_address_)});
}

std::string ChaosSwarm::Failure() {
  const auto failure = [](Daemon& daemon) -> std::string {
    if (!daemon.process || daemon.killed) return "";
    const std::optional<ProcessEnd> end = daemon.process->Poll();
    return end ? absl::StrCat(daemon.name, ": ", end->ToString()) : "";
  };
  if (std::string failed = failure(coordinator_); !failed.empty()) return failed;
  for (Daemon& peer : peers_) {
    if (std::string failed = failure(peer); !failed.empty()) return failed;
  }
  return "";
}

absl::StatusOr<v1::EvaluateAverageResponse> ChaosSwarm::EvaluateAverage(absl::Duration timeout) {
  const absl::Time end = absl::Now() + timeout;
  absl::StatusOr<v1::EvaluateAverageResponse> answer = absl::UnavailableError("no peer answers");
  for (StatusClient* client : Clients()) {
    if (client == nullptr || stop_->number() != 0 || absl::Now() >= end) continue;
    answer = client->EvaluateAverage(end - absl::Now(), [this] { return stop_->number() != 0; });
    if (answer.ok()) break;
  }
  return answer;
}

void ChaosSwarm::Stop() {
  std::vector<ChildProcess*> processes;
  for (Daemon& peer : peers_) {
    if (peer.frozen) Thaw(static_cast<int>(&peer - peers_.data()));
    if (!peer.killed) processes.push_back(&*peer.process);
  }
  if (coordinator_.process && !coordinator_.killed) processes.push_back(&*coordinator_.process);
  StopProcesses(processes, kGrace, [this] { return stop_->count() >= 2; });
}

std::string ChaosSwarm::AddressFile(absl::string_view name) const {
  return absl::StrCat(options_.work_directory, "/", name, ".address");
}

std::string ChaosSwarm::LogPath(absl::string_view name) const {
  return absl::StrCat(options_.log_directory, "/", name, ".log");
}

}  // namespace starling
