// peerd: the peer daemon. Flags and configuration in; builds the real world (Asio, gRPC, LibTorch)
// around a Peer; runs until it is told to leave.

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "model/catalog.h"
#include "model/registry.h"
#include "peer/algorithms/registry.h"
#include "peer/bootstrap.h"
#include "peer/daemon_flags.h"
#include "peer/membership/grpc_coordinator_client.h"
#include "peer/membership/known_peers_file.h"
#include "peer/peer.h"
#include "peer/runtime/asio_executor.h"
#include "peer/runtime/asio_signals.h"
#include "peer/runtime/atomic_file.h"
#include "peer/runtime/directory_lock.h"
#include "peer/runtime/exit_codes.h"
#include "peer/runtime/failpoint_flag.h"
#include "peer/runtime/flags.h"
#include "peer/runtime/grpc_server.h"
#include "peer/runtime/grpc_status_service.h"
#include "peer/runtime/incarnation_file.h"
#include "peer/runtime/keep_freed_memory.h"
#include "peer/runtime/peer_id_file.h"
#include "peer/runtime/run_config.h"
#include "peer/runtime/run_flags.h"
#include "peer/runtime/stderr_log.h"
#include "peer/runtime/version.h"
#include "peer/transport/grpc_transport.h"
#include "spdlog/spdlog.h"

namespace starling {
namespace {

constexpr char kUsage[] =
    R"(peerd: trains one network together with other peers.

  peerd --coordinator=127.0.0.1:7600                 join the swarm of a coordinator
  peerd --model=mlp --epochs=5                       first peer of a swarm without a coordinator
  peerd --peers=10.0.0.5:7700 --listen=10.0.0.6:7700 join that swarm from another machine

Runs until the training is told to stop: Ctrl-C or SIGTERM leaves the swarm in good order, a
second one exits at once. Ask it anything with: starling status --endpoint=HOST:PORT

Exit codes: 0 left in good order; 64 unknown flag, bad value, unknown algorithm; 65 a data file is
corrupt; 66 a file is absent; 69 the port is taken; 70 training diverged, again after --rollbacks, or a defect of ours;
73 the state directory cannot be written; 75 nobody answers (--join_timeout), or another process uses the
state directory; 76 another process runs with this peer's id; 78 the swarm trains another model or algorithm, or refuses this peer.

Flags:
)";

int Complain(const absl::Status& status) {
  std::fprintf(stderr, "peerd: %s\n", std::string(status.message()).c_str());
  return ExitCodeFor(status);
}

// How often the addresses of other peers are saved, first a moment after the start.
constexpr absl::Duration kFirstSave = absl::Seconds(3);
constexpr absl::Duration kSaveEvery = absl::Seconds(30);

// Those that the user named, then those that were there in the last life.
std::vector<std::string> Seeds(const DaemonFlags& flags) {
  std::vector<std::string> seeds = flags.peers;
  for (std::string& known : LoadKnownPeers(flags.state_dir)) {
    if (std::find(seeds.begin(), seeds.end(), known) == seeds.end()) {
      seeds.push_back(std::move(known));
    }
  }
  return seeds;
}

// Fails early, before anybody is bothered, on what this peer could never train.
absl::Status CheckRun(const v1::RunConfig& config) {
  if (absl::Status status = ValidateModelName(config.model().name()); !status.ok()) return status;
  if (absl::Status status = ValidateDataName(config.data().name()); !status.ok()) return status;
  if (auto made = CompleteAlgorithmConfig(config.algorithm()); !made.ok()) return made.status();
  return CompleteOptimizerConfig(config.optimizer()).status();
}

// Everything that lives as long as the daemon; destroyed in reverse order.
class Daemon {
 public:
  explicit Daemon(DaemonFlags flags) : flags_(std::move(flags)) {}

  int Run() {
    if (absl::Status status = CheckRun(flags_.own); !status.ok()) return Complain(status);
    if (const absl::Status status = LockStateDirectory(); !status.ok()) {
      Complain(status);
      return absl::IsAlreadyExists(status) ? kExitTryAgain : kExitCantCreate;
    }
    auto id = LoadOrMakePeerId(flags_.state_dir);
    if (!id.ok()) {
      Complain(id.status());
      return kExitCantCreate;
    }

    if (absl::Status status = Listen(*id); !status.ok()) return Complain(status);
    const int code = JoinAndTrain(*id);
    Stop();
    return code;
  }

 private:
  absl::Status LockStateDirectory() {
    if (flags_.state_dir.empty()) return absl::OkStatus();
    auto lock = DirectoryLock::Take(flags_.state_dir);
    if (!lock.ok()) return lock.status();
    state_directory_.emplace(*std::move(lock));
    return absl::OkStatus();
  }

  absl::Status Listen(PeerId id) {
    transport_ = std::make_unique<GrpcTransport>(
        &control_, GrpcTransportOptions{.same_host_copies = flags_.same_host_copies});
    status_service_ = std::make_unique<GrpcStatusService>(&control_);
    control_.Post([this, id] { status_service_->SetSource(StartingSource(id)); });
    GrpcServer::Options options;
    options.listen = flags_.listen;
    auto server =
        GrpcServer::Start(options, {transport_->service(), status_service_.get()});
    if (!server.ok()) return server.status();
    server_ = *std::move(server);
    address_ = flags_.advertise.empty() ? server_->address() : flags_.advertise;
    spdlog::info("peer {} listens on {}", id.ToString(), address_);
    if (!flags_.address_file.empty()) {
      return WriteFileAtomically(flags_.address_file, address_ + "\n");
    }
    return absl::OkStatus();
  }

  // What can be said and done before there is a Peer.
  StatusSource StartingSource(PeerId id) {
    StatusSource source;
    source.status = [id] {
      v1::Status status;
      status.set_role(v1::ROLE_PEER);
      status.set_peer_id(id.ToString());
      status.set_version(std::string(kVersion));
      status.set_phase(v1::PHASE_STARTING);
      return status;
    };
    source.evaluate_average = [](auto done) {
      done(absl::UnavailableError("this peer is starting and has no parameters yet"));
    };
    source.leave = [this](std::string) { stop_requested_ = true; };
    source.set_limits = [](const v1::LinkLimits&) {
      return absl::UnavailableError("this peer is starting; ask again in a moment");
    };
    return source;
  }

  int JoinAndTrain(PeerId id) {
    const auto next_incarnation = NextIncarnation(flags_.state_dir, absl::Now());
    if (!next_incarnation.ok()) {
      Complain(next_incarnation.status());
      return kExitCantCreate;
    }
    const Incarnation incarnation = *next_incarnation;
    if (!flags_.coordinator.empty()) {
      coordinator_ =
          std::make_unique<GrpcCoordinatorClient>(&control_, flags_.coordinator);
    }
    BootstrapOptions bootstrap;
    bootstrap.self.set_peer_id(id.value());
    bootstrap.self.set_incarnation(incarnation);
    bootstrap.self.set_address(address_);
    bootstrap.self.set_state(v1::PEER_STATE_JOINING);
    bootstrap.self.set_centre(flags_.centre);
    bootstrap.seeds = Seeds(flags_);
    bootstrap.found = flags_.bootstrap;
    bootstrap.own = flags_.own;
    bootstrap.expect_model = flags_.expected.model;
    bootstrap.expect_algorithm = flags_.expected.algorithm;
    bootstrap.join_timeout = flags_.join_timeout;
    bootstrap.log = [](const std::string& line) { spdlog::warn(line); };
    bootstrap.stopped = [this] { return stop_requested_.load(); };
    auto found = FindRun(&control_, transport_.get(), coordinator_.get(), bootstrap);
    if (absl::IsCancelled(found.status())) return kExitOk;
    if (!found.ok()) return Complain(found.status());
    const v1::RunConfig config = *std::move(found);
    if (absl::Status status = CheckRun(config); !status.ok()) {
      return Complain(absl::FailedPreconditionError(
          absl::StrCat("this peer cannot train the swarm's run: ", status.message())));
    }

    spdlog::info("run {}: model {}, algorithm {}; loading", RunIdOf(config).ToString(),
                 config.model().name(), config.algorithm().name());
    auto deps = BuildWorld(config, id);
    if (!deps.ok()) return Complain(deps.status());
    absl::optional<uint32_t> slot;
    if (flags_.slot) bootstrap.self.set_slot(*flags_.slot);
    if (coordinator_ != nullptr) {
      auto taken = TakeSlot(&control_, coordinator_.get(), RunIdOf(config), bootstrap);
      if (absl::IsCancelled(taken.status())) return kExitOk;
      if (!taken.ok()) return Complain(taken.status());
      slot = *taken;
    }

    PeerOptions options;
    options.config = config;
    options.id = id;
    options.incarnation = incarnation;
    options.address = address_;
    options.version = std::string(kVersion);
    options.seeds = Seeds(flags_);
    options.slot = flags_.slot ? *flags_.slot
                   : slot      ? *slot
                               : static_cast<uint32_t>(id.value() % config.data().parts());
    options.centre = flags_.centre;
    options.membership = flags_.membership;
    options.gossip.codecs = flags_.codecs;
    options.limits = flags_.limits;
    options.evaluate_every = flags_.evaluate_every;
    options.checkpoint_every = flags_.checkpoint_every;
    options.rollbacks = flags_.rollbacks;
    options.rollback_rate = flags_.rollback_rate;
    if (!flags_.state_dir.empty() &&
        options.checkpoint_every > absl::ZeroDuration()) {
      options.checkpoint_directory = flags_.state_dir + "/checkpoints";
    }
    if (const double rate = flags_.max_steps_per_second; rate > 0) {
      options.step_time = [rate] { return absl::Seconds(1 / rate); };
    }

    auto peer = Peer::Create(*std::move(deps), std::move(options));
    if (!peer.ok()) return Complain(peer.status());
    peer_ = *std::move(peer);
    transport_->SetIdentity(id.value(), incarnation, RunIdOf(config).value());
    return Serve();
  }

  // All that takes long. The noise of dropout is as the --slot, so that a run can be repeated, or this peer's own.
  absl::StatusOr<PeerDeps> BuildWorld(const v1::RunConfig& config, PeerId id) {
    const uint64_t stream = flags_.slot ? *flags_.slot : id.value();
    v1::DataConfig data_config = config.data();
    data_config.set_directory(DataDirectoryFromFlags());
    auto data = LoadData(data_config, config.seed());
    if (!data.ok()) return data.status();
    const int threads = flags_.threads;
    auto model = MakeModel(config.model(), *data->train, config.seed(), stream, threads);
    if (!model.ok()) return model.status();
    auto evaluation_model = MakeModel(config.model(), *data->test, config.seed(), stream, threads);
    if (!evaluation_model.ok()) return evaluation_model.status();
    spdlog::info("model {} with {} parameters, {} thread{}; {} training examples, {} test examples",
                 config.model().name(), (*model)->parameters().size(), (*model)->threads(),
                 (*model)->threads() == 1 ? "" : "s", data->train->size(), data->test->size());
    // One being exchanged, and one asked for.
    transport_->MakeRoomFor(2 * (*model)->parameters().size() * sizeof(float));
    pool_ = std::make_unique<BufferPool>(3 * (*model)->parameters().size() * sizeof(float) +
                                         (size_t{8} << 20));
    PeerDeps deps;
    deps.control = &control_;
    deps.training = &training_;
    deps.evaluation = &evaluation_;
    deps.disk = &disk_;
    deps.wall_clock = [] { return absl::Now(); };
    deps.transport = transport_.get();
    deps.coordinator = coordinator_.get();
    deps.pool = pool_.get();
    deps.model = *std::move(model);
    deps.evaluation_model = *std::move(evaluation_model);
    deps.train = data->train;
    deps.test = data->test;
    deps.log = [](const std::string& line) { spdlog::info(line); };
    return deps;
  }

  // Until left, by whatever way.
  int Serve() {
    // Evaluation takes only what training leaves of the processor.
    evaluation_.Post([] { setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), 10); });
    control_.Post([this] {
      status_service_->SetSource(
          {.status = [this] { return peer_->GetStatus(); },
           .evaluate_average = [this](auto done) { peer_->EvaluateAverage(std::move(done)); },
           .leave = [this](std::string reason) { Leave(std::move(reason)); },
           .set_limits = [this](const v1::LinkLimits& limits) { return peer_->SetLimits(limits); }});
      server_->SetServing("starling.v1.PeerService", true);
      peer_->Start([this](absl::Status status) { Exit(std::move(status)); });
      if (flags_.exit_when_done) WatchForEnd();
      if (!flags_.state_dir.empty()) SaveKnownPeersIn(kFirstSave);
      if (stop_requested_) Leave("stopped");
    });
    absl::MutexLock lock(&mutex_);
    serving_ = true;
    mutex_.Await(absl::Condition(this, &Daemon::Exited));
    if (!exit_status_.ok()) return Complain(exit_status_);
    return kExitOk;
  }

  // Control executor.
  void WatchForEnd() {
    const v1::Status status = peer_->GetStatus();
    if (status.phase() == v1::PHASE_FINISHED &&
        status.training().evaluated_step() == status.training().step()) {
      spdlog::info("done: test accuracy {:.4f} after {} steps", status.training().test_accuracy(),
                   status.training().step());
      Leave("training is done");
      return;
    }
    control_.ScheduleAt(control_.Now() + absl::Milliseconds(200), [this] { WatchForEnd(); });
  }

  // Control executor; the disk is waited for elsewhere.
  void SaveKnownPeersIn(absl::Duration delay) {
    control_.ScheduleAt(control_.Now() + delay, [this] {
      std::vector<std::string> known;
      const v1::Status status = peer_->GetStatus();
      for (const v1::PeerStatus& other : status.peers()) {
        const bool there = other.state() == v1::PEER_STATE_ALIVE ||
                           other.state() == v1::PEER_STATE_JOINING ||
                           other.state() == v1::PEER_STATE_SUSPECT;
        if (there && !other.self()) known.push_back(other.address());
      }
      if (!known.empty()) {
        disk_.Post([directory = flags_.state_dir, known = std::move(known)] {
          const absl::Status saved = SaveKnownPeers(directory, known);
          if (!saved.ok()) spdlog::warn("{}; going on", std::string(saved.message()));
        });
      }
      SaveKnownPeersIn(kSaveEvery);
    });
  }

  // Control executor.
  void Leave(std::string reason) {
    server_->SetServing("starling.v1.PeerService", false);
    peer_->Leave(std::move(reason), [this] { Exit(absl::OkStatus()); });
  }

  void Exit(absl::Status status) {
    absl::MutexLock lock(&mutex_);
    exit_status_ = std::move(status);
    exited_ = true;
  }
  bool Exited() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return exited_; }

  void OnSignal(int signal, int times) {
    if (times > 1) _exit(128 + signal);
    stop_requested_ = true;
    control_.Post([this, signal] {
      absl::ReleasableMutexLock lock(&mutex_);
      const bool serving = serving_;
      lock.Release();
      if (serving) Leave(signal == SIGINT ? "SIGINT" : "SIGTERM");
    });
  }

  // Reverse of starting: nobody new, then no calls, then no tasks, then the objects.
  void Stop() {
    if (server_ != nullptr) {
      control_.Post([this] {
        status_service_->SetSource({});
        transport_->SetDelegate(nullptr);
      });
      server_->Shutdown(absl::Seconds(1));
    }
    training_threads_.Join();
    evaluation_threads_.Join();
    disk_threads_.Join();
    control_threads_.Join();
    peer_.reset();
    coordinator_.reset();
    server_.reset();
    transport_.reset();
  }

  const DaemonFlags flags_;
  absl::optional<DirectoryLock> state_directory_;
  AsioThreads control_threads_{"control", 1};
  AsioThreads training_threads_{"training", 1};
  AsioThreads evaluation_threads_{"evaluation", 1};
  AsioThreads disk_threads_{"disk", 1};
  AsioExecutor control_{control_threads_};
  AsioExecutor training_{training_threads_};
  AsioExecutor evaluation_{evaluation_threads_};
  AsioExecutor disk_{disk_threads_};
  std::atomic<bool> stop_requested_{false};
  std::unique_ptr<BufferPool> pool_;
  std::unique_ptr<GrpcTransport> transport_;
  std::unique_ptr<GrpcStatusService> status_service_;
  std::unique_ptr<GrpcServer> server_;
  std::unique_ptr<GrpcCoordinatorClient> coordinator_;
  std::unique_ptr<Peer> peer_;
  std::string address_;
  AsioSignals signals_{[this](int signal, int times) { OnSignal(signal, times); }};

  absl::Mutex mutex_;
  bool serving_ ABSL_GUARDED_BY(mutex_) = false;
  bool exited_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status exit_status_ ABSL_GUARDED_BY(mutex_);
};

int Main(int argc, char** argv) {
  const FlagScope scope{{"peer/daemon_flags.cc", "peer/limit_flags.cc", "peer/runtime/run_flags.cc"},
                        {"peer/runtime/failpoint_flag.cc"}};
  const auto positional = ParseFlags(argc, argv, scope);
  if (absl::IsCancelled(positional.status())) {
    std::cout << kUsage << FlagsHelp(scope);
    return kExitOk;
  }
  if (!positional.ok()) return Complain(positional.status());
  if (!positional->empty()) {
    return Complain(absl::InvalidArgumentError(
        absl::StrCat("unexpected argument \"", positional->front(), "\"; flags begin with --")));
  }
  auto flags = DaemonFlagsFromCommandLine();
  if (!flags.ok()) return Complain(flags.status());
  spdlog::set_default_logger(MakeStderrLogger(flags->name));
  spdlog::set_pattern("%Y-%m-%d %H:%M:%S.%e %n %^%l%$ %v");
  spdlog::set_level(spdlog::level::from_str(flags->log_level));
  if (absl::Status armed = ArmFailpointFromFlag(); !armed.ok()) return Complain(armed);
  return Daemon(*std::move(flags)).Run();
}

}  // namespace
}  // namespace starling

int main(int argc, char** argv) {
  starling::KeepFreedMemory();
  return starling::Main(argc, argv);
}
