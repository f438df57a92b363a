// coordinatord: rendezvous, leases and plans of averaging rounds for a swarm of peers.

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "coordinator/coordinator_actor.h"
#include "coordinator/epoch_store.h"
#include "coordinator/grpc_coordinator_service.h"
#include "coordinator/registry.h"
#include "model/catalog.h"
#include "peer/runtime/asio_executor.h"
#include "peer/runtime/asio_signals.h"
#include "peer/runtime/atomic_file.h"
#include "peer/runtime/exit_codes.h"
#include "peer/runtime/failpoint_flag.h"
#include "peer/runtime/flags.h"
#include "peer/runtime/grpc_server.h"
#include "peer/runtime/grpc_status_service.h"
#include "peer/runtime/member_text.h"
#include "peer/runtime/nearest_name.h"
#include "peer/runtime/one_line.h"
#include "peer/runtime/run_config.h"
#include "peer/runtime/run_flags.h"
#include "peer/runtime/stderr_log.h"
#include "peer/runtime/version.h"
#include "spdlog/spdlog.h"

ABSL_FLAG(std::string, listen, "127.0.0.1:7600",
          "host:port to serve on; 0.0.0.0:7600 for every interface, port 0 takes a free one");
ABSL_FLAG(std::string, address_file, "",
          "file to write the bound host:port to, once peers can connect");
ABSL_FLAG(std::string, preset, "lan",
          "timing: lan (lease 5 s), fast (one host, 2 s) or wan (15 s)");
ABSL_FLAG(std::string, state_dir, "",
          "directory that counts the starts of this coordinator, so that plans of an earlier life "
          "are refused even if the clock is set back; made if absent");

namespace starling {
namespace {

constexpr absl::Duration kShutdownGrace = absl::Seconds(2);

const FlagScope& Scope() {
  static const auto& scope =
      *new FlagScope{{"coordinator/main.cc", "peer/runtime/run_flags.cc"},
                     {"peer/runtime/failpoint_flag.cc"}};
  return scope;
}

void PrintHelp() {
  std::printf(
      R"(coordinatord %s - the optional coordinator of a Starling swarm

Peers join it to get the run configuration and to find one another. It notices who
fails, and plans the rounds in which all peers average exactly. Parameters never pass
through it, and training goes on without it.

usage: coordinatord [flags]

examples:
  coordinatord                                     train mlp on Fashion-MNIST
  coordinatord --listen=0.0.0.0:7600 --min_peers=4 --epochs=10
  coordinatord --algorithm=elastic_gossip:p=1/8,alpha=0.5 --averaging_period=500
  coordinatord --config=run.textproto --seed=7     a file, and one field of it changed
then on each machine:
  peerd --coordinator=HOST:7600 --listen=ADDRESS:7700

flags:
%s
exit codes:
  0   told to stop (SIGTERM, SIGINT or `starling leave`)
  64  unknown flag, or a flag with a bad value
  65  the state directory holds something else
  66  the configuration file is absent or unreadable
  69  the port is taken, or another coordinator uses the state directory
  73  the state directory or the address file cannot be written
  78  the configuration file does not parse or says something out of range
)",
      std::string(kVersion).c_str(), FlagsHelp(Scope()).c_str());
}

int Fail(const absl::Status& status, int code) {
  std::fprintf(stderr, "coordinatord: %s\n", std::string(status.message()).c_str());
  return code;
}
int Fail(const absl::Status& status) { return Fail(status, ExitCodeFor(status)); }

absl::StatusOr<RegistryOptions> PresetOptions(const std::string& name) {
  if (name == "lan") return RegistryOptions::Lan();
  if (name == "fast") return RegistryOptions::Fast();
  if (name == "wan") return RegistryOptions::Wan();
  return absl::InvalidArgumentError(
      absl::StrCat("--preset is \"", name, "\"; it must be lan, fast or wan"));
}

// Names that the coordinator can tell; the algorithm's are known to the peers alone.
absl::Status ValidateNames(const v1::RunConfig& config) {
  absl::Status status = ValidateModelName(config.model().name());
  if (status.ok()) status = ValidateDataName(config.data().name());
  if (!status.ok()) return status;
  std::vector<std::string> optimizers;
  for (const CatalogEntry& entry : OptimizerCatalog()) {
    if (entry.name == config.optimizer().name()) return absl::OkStatus();
    optimizers.emplace_back(entry.name);
  }
  return UnknownNameError("optimizer", config.optimizer().name(), optimizers);
}

// The number of this start; `store` keeps the directory locked.
absl::StatusOr<uint64_t> StartNumber(const std::string& directory,
                                     std::unique_ptr<EpochStore>* store) {
  if (directory.empty()) return StartNumberFromClock(absl::Now());
  absl::StatusOr<EpochStore> opened = EpochStore::Open(directory);
  if (!opened.ok()) return opened.status();
  *store = std::make_unique<EpochStore>(*std::move(opened));
  return (*store)->NextStartNumber(absl::Now());
}

void LogMember(const v1::Member& member) {
  const auto level =
      member.state() == v1::PEER_STATE_DEAD ? spdlog::level::warn : spdlog::level::info;
  spdlog::log(level, "{} is {}{}", Describe(member), std::string(StateName(member.state())),
              member.reason().empty() ? "" : absl::StrCat(": ", member.reason()));
}

v1::Status StatusOf(const CoordinatorActor& actor, const std::string& address) {
  v1::Status status = actor.Status();
  status.set_version(std::string(kVersion));
  status.set_address(address);
  status.mutable_coordinator()->set_address(address);
  return status;
}

int Serve(const v1::RunConfig& config, const RegistryOptions& options, uint64_t start_number) {
  absl::Notification stop;
  std::atomic<bool> stopping{false};
  const auto ask_to_stop = [&](const std::string& why) {
    if (stopping.exchange(true)) return;
    spdlog::info("stopping: {}", why);
    stop.Notify();
  };
  AsioSignals signals([&](int signal, int times) {
    if (times > 1) ::_exit(128 + signal);
    ask_to_stop(signal == SIGTERM ? "SIGTERM" : "SIGINT");
  });

  AsioThreads threads("control", 1);
  AsioExecutor executor(threads);
  std::random_device entropy;
  const uint64_t seed = (uint64_t{entropy()} << 32) | entropy();
  CoordinatorActor actor(&executor, options, config, start_number, Random(seed), LogMember);
  GrpcCoordinatorService service(&executor, &actor);
  GrpcStatusService status_service(&executor);

  GrpcServer::Options server_options;
  server_options.listen = absl::GetFlag(FLAGS_listen);
  absl::StatusOr<std::unique_ptr<GrpcServer>> server =
      GrpcServer::Start(server_options, {&service, &status_service});
  int exit_code = kExitOk;
  if (!server.ok()) {
    exit_code = Fail(server.status());
  } else {
    const std::string address = (*server)->address();
    StatusSource source;
    source.status = [&actor, address] { return StatusOf(actor, address); };
    source.evaluate_average = [](auto done) {
      done(absl::UnimplementedError(
          "a coordinator holds no parameters; ask a peer (ListPeers names their addresses)"));
    };
    source.leave = [&](std::string reason) {
      ask_to_stop(absl::StrCat("asked to leave", reason.empty() ? "" : ": ", OneLine(reason)));
    };
    executor.Post([&, source = std::move(source)]() mutable {
      status_service.SetSource(std::move(source));
      actor.Start();
    });
    spdlog::info("coordinator listens on {} for run {} (\"{}\"): {}, {}, {}, "
                 "starting with {} peers",
                 address, RunIdOf(config).ToString(), config.name(), config.model().name(),
                 config.data().name(), config.algorithm().name(), config.min_peers());
    const std::string address_file = absl::GetFlag(FLAGS_address_file);
    absl::Status written;
    if (!address_file.empty()) written = WriteFileAtomically(address_file, address + "\n");
    if (written.ok()) {
      stop.WaitForNotification();
    } else {
      exit_code = Fail(written, kExitCantCreate);
    }
    executor.Post([&] {
      actor.CloseWatchers();
      status_service.SetSource({});
    });
    (*server)->Shutdown(kShutdownGrace);
  }
  threads.Join();
  return exit_code;
}

int Main(int argc, char** argv) {
  const absl::StatusOr<std::vector<std::string>> positional = ParseFlags(argc, argv, Scope());
  if (absl::IsCancelled(positional.status())) {
    PrintHelp();
    return kExitOk;
  }
  if (!positional.ok()) return Fail(positional.status());
  if (!positional->empty()) {
    return Fail(absl::InvalidArgumentError(absl::StrCat(
        "unexpected argument \"", positional->front(), "\"; see coordinatord --help")));
  }
  const absl::StatusOr<RegistryOptions> options = PresetOptions(absl::GetFlag(FLAGS_preset));
  if (!options.ok()) return Fail(options.status());
  const absl::StatusOr<v1::RunConfig> config = RunConfigFromFlags();
  if (!config.ok()) return Fail(config.status());
  const absl::Status names = ValidateNames(*config);
  if (!names.ok()) return Fail(names);

  const absl::Status armed = ArmFailpointFromFlag();
  if (!armed.ok()) return Fail(armed);

  std::unique_ptr<EpochStore> store;
  const absl::StatusOr<uint64_t> start_number =
      StartNumber(absl::GetFlag(FLAGS_state_dir), &store);
  if (!start_number.ok()) {
    return Fail(start_number.status(), absl::IsUnknown(start_number.status())
                                           ? kExitCantCreate
                                           : ExitCodeFor(start_number.status()));
  }
  return Serve(*config, *options, *start_number);
}

}  // namespace
}  // namespace starling

int main(int argc, char** argv) {
  spdlog::set_default_logger(starling::MakeStderrLogger("coordinatord"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %n: %v");
  return starling::Main(argc, argv);
}
