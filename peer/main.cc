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

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "model/catalog.h"
#include "model/registry.h"
#include "peer/bootstrap.h"
#include "peer/algorithms/registry.h"
#include "peer/gossip/codec_choice.h"
#include "peer/limit_flags.h"
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

ABSL_FLAG(std::string, coordinator, "",
          "host:port of the coordinator; empty: none, peers find each other through --peers");
ABSL_FLAG(std::string, peers, "",
          "host:port,host:port of peers to ask for the run and for further peers; unreachable ones "
          "are asked again for ever");
ABSL_FLAG(bool, bootstrap, false,
          "start a swarm at once instead of waiting for a word from --peers or from peers known from "
          "an earlier life; whoever is found later is joined all the same");
ABSL_FLAG(std::string, listen, "127.0.0.1:7700",
          "host:port to serve on; port 0 takes a free one. Traffic is not encrypted: use addresses "
          "beyond this machine on trusted networks only");
ABSL_FLAG(bool, same_host_copies, true,
          "peers of one machine copy parameters from each other's memory, which is quicker than sending "
          "them; needs that both run as one user and the kernel allows it (ptrace_scope 0), and is left "
          "otherwise");
ABSL_FLAG(std::string, name, "peerd", "how this daemon calls itself in its own log");
ABSL_FLAG(std::string, advertise, "",
          "host:port that others dial; default: the address listened on. Needed when listening on "
          "0.0.0.0");
ABSL_FLAG(std::string, address_file, "", "write the advertised host:port to this file once bound");
ABSL_FLAG(std::string, state_dir, "",
          "directory that keeps this peer's id across restarts, its checkpoints, and the addresses of other "
          "peers to find the swarm again; of one process at a time; empty: a new id at each start");
ABSL_FLAG(absl::Duration, checkpoint_every, absl::Seconds(60),
          "how often to save the parameters in --state_dir, from which a restarted peer goes on if nobody else "
          "trains or they are fresh enough; 0: never");
ABSL_FLAG(uint32_t, rollbacks, 3,
          "how often in a row, without progress in between, this peer goes back to better parameters when its "
          "own are not finite any more, before it exits with code 70");
ABSL_FLAG(double, rollback_rate, 0.5,
          "what going back multiplies this peer's learning rate by, for the rest of its life; 1 keeps it");
ABSL_FLAG(int, slot, -1,
          "which part of the training set to read, from 0; default: the coordinator's choice, "
          "without a coordinator derived from the peer's id");
ABSL_FLAG(bool, centre, false,
          "hold the centre of an algorithm that needs one (easgd and its relatives): answers "
          "exchanges and does not train");
ABSL_FLAG(std::string, request_codec, "fp32",
          "how the parameters in this peer's requests travel: fp32; bf16 or fp16, half the bytes, and "
          "peers agree to 1 part in 256 or 2048 of each parameter");
ABSL_FLAG(std::string, reply_codec, "fp32",
          "how this peer's replies travel. Differences, as elastic_gossip answers with, may be coarse: "
          "int8 (a quarter of the bytes; the usual choice on slow links), qsgd:bits=4, dqsgd:bits=4 "
          "(spends bits where differences are large), topk:share=1/100, randk:share=1/10; what is "
          "left out is not lost, it is still a difference at the next exchange. Where replies carry "
          "parameters: fp32, bf16, fp16");
ABSL_FLAG(int, threads, 1, "threads that one operation of the model may use; more than one pays "
                           "only where a peer has several cores to itself");
ABSL_FLAG(double, max_steps_per_second, 0, "upper limit on local steps; 0: as fast as possible");
ABSL_FLAG(absl::Duration, evaluate_every, absl::Seconds(20),
          "how often to measure the test accuracy while training; 0: at the end only");
ABSL_FLAG(absl::Duration, join_timeout, absl::InfiniteDuration(),
          "give up (exit 75) when the coordinator, or without one each of --peers, does not answer for "
          "this long; default: wait for a coordinator for ever, for peers 3 s before a swarm is founded "
          "without them");
ABSL_FLAG(bool, exit_when_done, false,
          "leave the swarm and exit 0 when all epochs are done; default: go on serving");
ABSL_FLAG(std::string, preset, "lan",
          "timing of failure detection: lan, wan, or fast (one machine, tests)");
ABSL_FLAG(std::string, log_level, "info", "debug, info, warn, error or off");

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

absl::StatusOr<MembershipOptions> MembershipPreset(const std::string& name) {
  if (name == "lan") return MembershipOptions::Lan();
  if (name == "wan") return MembershipOptions::Wan();
  if (name == "fast") return MembershipOptions::Fast();
  return absl::InvalidArgumentError(
      absl::StrCat("--preset=", name, " is not one of lan, wan, fast"));
}

absl::Status CheckOwnFlags() {
  if (absl::GetFlag(FLAGS_threads) < 1 || absl::GetFlag(FLAGS_threads) > 1024) {
    return absl::InvalidArgumentError("--threads must be between 1 and 1024");
  }
  if (absl::GetFlag(FLAGS_checkpoint_every) < absl::ZeroDuration()) {
    return absl::InvalidArgumentError("--checkpoint_every must not be negative; 0 keeps no checkpoints");
  }
  if (const double rate = absl::GetFlag(FLAGS_rollback_rate); !(rate > 0 && rate <= 1)) {
    return absl::InvalidArgumentError("--rollback_rate must be above 0 and at most 1");
  }
  if (!(absl::GetFlag(FLAGS_max_steps_per_second) >= 0)) {
    return absl::InvalidArgumentError("--max_steps_per_second must not be negative");
  }
  if (spdlog::level::from_str(absl::GetFlag(FLAGS_log_level)) == spdlog::level::off &&
      absl::GetFlag(FLAGS_log_level) != "off") {
    return absl::InvalidArgumentError(absl::StrCat("--log_level=", absl::GetFlag(FLAGS_log_level),
                                                   " is not one of debug, info, warn, error, off"));
  }
  return absl::OkStatus();
}

// How often the addresses of other peers are saved, first a moment after the start.
constexpr absl::Duration kFirstSave = absl::Seconds(3);
constexpr absl::Duration kSaveEvery = absl::Seconds(30);

// Those that the user named, then those that were there in the last life.
std::vector<std::string> Seeds() {
  std::vector<std::string> seeds =
      absl::StrSplit(absl::GetFlag(FLAGS_peers), ',', absl::SkipWhitespace());
  for (std::string& known : LoadKnownPeers(absl::GetFlag(FLAGS_state_dir))) {
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
  int Run() {
    auto own = RunConfigFromFlags();
    if (!own.ok()) return Complain(own.status());
    if (absl::Status status = CheckRun(*own); !status.ok()) return Complain(status);
    const auto expected = RunExpectationsFromFlags();
    if (!expected.ok()) return Complain(expected.status());
    auto membership = MembershipPreset(absl::GetFlag(FLAGS_preset));
    if (!membership.ok()) return Complain(membership.status());
    if (absl::Status status = CheckOwnFlags(); !status.ok()) return Complain(status);
    const auto codecs = MakeCodecChoice(absl::GetFlag(FLAGS_request_codec),
                                        absl::GetFlag(FLAGS_reply_codec));
    if (!codecs.ok()) return Complain(codecs.status());
    codecs_ = *codecs;
    auto limits = LimitsFromFlags();
    if (!limits.ok()) return Complain(limits.status());
    limits_ = *std::move(limits);
    if (const absl::Status status = LockStateDirectory(); !status.ok()) {
      Complain(status);
      return absl::IsAlreadyExists(status) ? kExitTryAgain : kExitCantCreate;
    }
    auto id = LoadOrMakePeerId(absl::GetFlag(FLAGS_state_dir));
    if (!id.ok()) {
      Complain(id.status());
      return kExitCantCreate;
    }

    if (absl::Status status = Listen(*id); !status.ok()) return Complain(status);
    const int code = JoinAndTrain(*id, *own, *expected, *membership);
    Stop();
    return code;
  }

 private:
  absl::Status LockStateDirectory() {
    if (absl::GetFlag(FLAGS_state_dir).empty()) return absl::OkStatus();
    auto lock = DirectoryLock::Take(absl::GetFlag(FLAGS_state_dir));
    if (!lock.ok()) return lock.status();
    state_directory_.emplace(*std::move(lock));
    return absl::OkStatus();
  }

  absl::Status Listen(PeerId id) {
    GrpcTransportOptions limits;
    limits.same_host_copies = absl::GetFlag(FLAGS_same_host_copies);
    transport_ = std::make_unique<GrpcTransport>(&control_, limits);
    status_service_ = std::make_unique<GrpcStatusService>(&control_);
    control_.Post([this, id] { status_service_->SetSource(StartingSource(id)); });
    GrpcServer::Options options;
    options.listen = absl::GetFlag(FLAGS_listen);
    auto server =
        GrpcServer::Start(options, {transport_->service(), status_service_.get()});
    if (!server.ok()) return server.status();
    server_ = *std::move(server);
    address_ = absl::GetFlag(FLAGS_advertise).empty() ? server_->address()
                                                      : absl::GetFlag(FLAGS_advertise);
    spdlog::info("peer {} listens on {}", id.ToString(), address_);
    if (!absl::GetFlag(FLAGS_address_file).empty()) {
      return WriteFileAtomically(absl::GetFlag(FLAGS_address_file), address_ + "\n");
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

  int JoinAndTrain(PeerId id, const v1::RunConfig& own, const RunExpectations& expected,
                   const MembershipOptions& membership) {
    const auto next_incarnation = NextIncarnation(absl::GetFlag(FLAGS_state_dir), absl::Now());
    if (!next_incarnation.ok()) {
      Complain(next_incarnation.status());
      return kExitCantCreate;
    }
    const Incarnation incarnation = *next_incarnation;
    if (!absl::GetFlag(FLAGS_coordinator).empty()) {
      coordinator_ =
          std::make_unique<GrpcCoordinatorClient>(&control_, absl::GetFlag(FLAGS_coordinator));
    }
    BootstrapOptions bootstrap;
    bootstrap.self.set_peer_id(id.value());
    bootstrap.self.set_incarnation(incarnation);
    bootstrap.self.set_address(address_);
    bootstrap.self.set_state(v1::PEER_STATE_JOINING);
    bootstrap.self.set_centre(absl::GetFlag(FLAGS_centre));
    bootstrap.seeds = Seeds();
    bootstrap.found = absl::GetFlag(FLAGS_bootstrap);
    bootstrap.own = own;
    bootstrap.expect_model = expected.model;
    bootstrap.expect_algorithm = expected.algorithm;
    bootstrap.join_timeout = absl::GetFlag(FLAGS_join_timeout);
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
    if (WantedSlot()) bootstrap.self.set_slot(*WantedSlot());
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
    options.seeds = Seeds();
    options.slot = WantedSlot() ? *WantedSlot()
                   : slot       ? *slot
                                : static_cast<uint32_t>(id.value() % config.data().parts());
    options.centre = absl::GetFlag(FLAGS_centre);
    options.membership = membership;
    options.gossip.codecs = codecs_;
    options.limits = limits_;
    options.evaluate_every = absl::GetFlag(FLAGS_evaluate_every);
    options.checkpoint_every = absl::GetFlag(FLAGS_checkpoint_every);
    options.rollbacks = absl::GetFlag(FLAGS_rollbacks);
    options.rollback_rate = absl::GetFlag(FLAGS_rollback_rate);
    if (!absl::GetFlag(FLAGS_state_dir).empty() &&
        options.checkpoint_every > absl::ZeroDuration()) {
      options.checkpoint_directory = absl::GetFlag(FLAGS_state_dir) + "/checkpoints";
    }
    if (const double rate = absl::GetFlag(FLAGS_max_steps_per_second); rate > 0) {
      options.step_time = [rate] { return absl::Seconds(1 / rate); };
    }

    auto peer = Peer::Create(*std::move(deps), std::move(options));
    if (!peer.ok()) return Complain(peer.status());
    peer_ = *std::move(peer);
    transport_->SetIdentity(id.value(), incarnation, RunIdOf(config).value());
    return Serve();
  }

  static absl::optional<uint32_t> WantedSlot() {
    const int slot = absl::GetFlag(FLAGS_slot);
    return slot >= 0 ? absl::make_optional(static_cast<uint32_t>(slot)) : absl::nullopt;
  }

  // All that takes long. The noise of dropout is as the --slot, so that a run can be repeated, or this peer's own.
  absl::StatusOr<PeerDeps> BuildWorld(const v1::RunConfig& config, PeerId id) {
    const uint64_t stream = WantedSlot() ? *WantedSlot() : id.value();
    v1::DataConfig data_config = config.data();
    data_config.set_directory(DataDirectoryFromFlags());
    auto data = LoadData(data_config, config.seed());
    if (!data.ok()) return data.status();
    const int threads = absl::GetFlag(FLAGS_threads);
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
      if (absl::GetFlag(FLAGS_exit_when_done)) WatchForEnd();
      if (!absl::GetFlag(FLAGS_state_dir).empty()) SaveKnownPeersIn(kFirstSave);
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
        disk_.Post([known = std::move(known)] {
          const absl::Status saved = SaveKnownPeers(absl::GetFlag(FLAGS_state_dir), known);
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
  CodecChoice codecs_;
  v1::LinkLimits limits_;
  AsioSignals signals_{[this](int signal, int times) { OnSignal(signal, times); }};

  absl::Mutex mutex_;
  bool serving_ ABSL_GUARDED_BY(mutex_) = false;
  bool exited_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status exit_status_ ABSL_GUARDED_BY(mutex_);
};

int Main(int argc, char** argv) {
  const FlagScope scope{{"peer/main.cc", "peer/limit_flags.cc", "peer/runtime/run_flags.cc"},
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
  spdlog::set_default_logger(MakeStderrLogger(absl::GetFlag(FLAGS_name)));
  spdlog::set_pattern("%Y-%m-%d %H:%M:%S.%e %n %^%l%$ %v");
  spdlog::set_level(spdlog::level::from_str(absl::GetFlag(FLAGS_log_level)));
  if (absl::Status armed = ArmFailpointFromFlag(); !armed.ok()) return Complain(armed);
  return Daemon().Run();
}

}  // namespace
}  // namespace starling

int main(int argc, char** argv) {
  starling::KeepFreedMemory();
  return starling::Main(argc, argv);
}
