// Stands in for peerd (when it is given --coordinator) and coordinatord in tests of the demo.
// A peer makes 10 of its 100 steps whenever it is asked for its status. All of one demo know each
// other from files beside their address files. The environment variable STARLING_FAKE changes what
// it does: "no_data" makes peers exit 66 at once, "bad_flag" makes the coordinator exit 64, "no_sgp"
// does so if it is to run the algorithm sgp, "crash"
// makes p0 abort half-way, "deaf" makes peers ignore SIGTERM, "stuck" stops training at step 50,
// "patient" does so until one of the peers is gone.

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>

#include "proto/status.grpc.pb.h"

namespace starling {
namespace {

constexpr uint64_t kTotal = 100;

class Daemon final : public v1::StatusService::Service {
 public:
  Daemon(bool is_peer, bool centre, std::string name, std::string directory, std::string mode)
      : is_peer_(is_peer), centre_(centre), directory_(std::move(directory)), mode_(std::move(mode)), name_(name) {
    status_.set_role(is_peer ? v1::ROLE_PEER : v1::ROLE_COORDINATOR);
    status_.set_peer_id("id-" + name);
    status_.set_run_id("00000000000000ff");
    status_.set_phase(v1::PHASE_TRAINING);
    status_.set_centre(centre);
    status_.mutable_training()->set_total_steps(kTotal);
  }

 private:
  grpc::Status GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*,
                         v1::Status* response) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    AddPeers(response->mutable_peers());
    if (is_peer_ && !centre_) Step(*response);
    status_.mutable_peers()->Swap(response->mutable_peers());
    *response = status_;
    return grpc::Status::OK;
  }

  grpc::Status ListPeers(grpc::ServerContext*, const v1::ListPeersRequest*,
                         v1::ListPeersResponse* response) override {
    AddPeers(response->mutable_peers());
    return grpc::Status::OK;
  }

  grpc::Status Leave(grpc::ServerContext*, const v1::LeaveSwarmRequest*,
                     v1::LeaveSwarmResponse*) override {
    kill(getpid(), SIGTERM);
    return grpc::Status::OK;
  }

  grpc::Status EvaluateAverage(grpc::ServerContext*, const v1::EvaluateAverageRequest*,
                               v1::EvaluateAverageResponse* response) override {
    response->set_test_accuracy(0.9);
    response->add_peer_ids(status_.peer_id());
    return grpc::Status::OK;
  }

  // `seen`: the members as they are now.
  void Step(const v1::Status& seen) {
    v1::TrainingStatus& training = *status_.mutable_training();
    const bool lost_one = std::any_of(
        seen.peers().begin(), seen.peers().end(),
        [](const v1::PeerStatus& peer) { return peer.state() == v1::PEER_STATE_DEAD; });
    const bool waits = mode_ == "stuck" || (mode_ == "patient" && !lost_one);
    const uint64_t last = waits ? kTotal / 2 : kTotal;
    training.set_step(std::min(last, training.step() + 10));
    if (mode_ == "crash" && name_ == "p0" && training.step() >= kTotal / 2) std::abort();
    status_.mutable_gossip()->set_exchanges_committed(training.step() / 10);
    status_.mutable_gossip()->set_bytes_sent(1000 * training.step());
    if (training.step() < kTotal) return;
    status_.set_phase(v1::PHASE_FINISHED);
    training.set_evaluated(true);
    training.set_evaluated_step(kTotal);
    training.set_test_accuracy(0.88);
  }

  // "<name>.pid" files of the demo; who wrote one and is no more has died.
  void AddPeers(google::protobuf::RepeatedPtrField<v1::PeerStatus>* peers) {
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      if (entry.path().extension() != ".pid") continue;
      pid_t pid = 0;
      std::ifstream(entry.path()) >> pid;
      if (pid == 0) continue;
      v1::PeerStatus* peer = peers->Add();
      peer->set_peer_id("id-" + entry.path().stem().string());
      const bool alive = kill(pid, 0) == 0;
      peer->set_state(alive ? v1::PEER_STATE_ALIVE : v1::PEER_STATE_DEAD);
      if (!alive) peer->set_reason("no answer for 1.0 s");
    }
  }

  const bool is_peer_;
  const bool centre_;
  const std::string directory_;
  const std::string mode_;
  const std::string name_;
  std::mutex mutex_;
  v1::Status status_;
};

int Run(int argc, char** argv) {
  std::map<std::string, std::string> flags;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const size_t equals = word.find('=');
    flags[word.substr(2)] = "";
    if (equals != std::string::npos) flags[word.substr(2, equals - 2)] = word.substr(equals + 1);
  }
  const char* variable = std::getenv("STARLING_FAKE");
  const std::string mode = variable == nullptr ? "" : variable;
  const bool is_peer = flags.count("coordinator") == 1;
  if (mode == "no_data" && is_peer) {
    std::fputs("peerd: cannot read /nowhere/train-images\n", stderr);
    return 66;
  }
  if (!is_peer && (mode == "bad_flag" || (mode == "no_sgp" && flags["algorithm"] == "sgp"))) {
    std::fputs("coordinatord: unknown model\n", stderr);
    return 64;
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);

  const std::filesystem::path address_file = flags["address_file"];
  const std::string directory = address_file.parent_path();
  const std::string name = address_file.stem();
  if (is_peer) std::ofstream(directory + "/" + name + ".pid") << getpid();
  Daemon daemon(is_peer, flags.count("centre") == 1, name, directory, mode);
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(flags["listen"], grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&daemon);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  std::ofstream(address_file.string() + ".new") << "127.0.0.1:" << port << "\n";
  std::filesystem::rename(address_file.string() + ".new", address_file);

  int signal = 0;
  do {
    sigwait(&signals, &signal);
  } while (mode == "deaf" && is_peer);
  server->Shutdown(std::chrono::system_clock::now());
  return 0;
}

}  // namespace
}  // namespace starling

int main(int argc, char** argv) { return starling::Run(argc, argv); }
