// What gossip costs the trainer: steps per second with an algorithm over steps per second without,
// for real daemons side by side on this machine.
//
//   bazel run //tests/bench:trainer_overhead -- --rounds=3 --seconds=15
//
// Runs alternate (none, gossip, none, gossip, ...), so that a slow spell of a shared machine hits
// both; each ratio is taken within one round, and the median of the rounds is the figure.

#include <algorithm>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "peer/cli/daemon_paths.h"
#include "peer/cli/demo_swarm.h"
#include "peer/cli/stop_signal.h"
#include "peer/cli/temp_directory.h"
#include "peer/runtime/exit_codes.h"
#include "peer/runtime/flags.h"

ABSL_FLAG(std::string, model, "mlp_large", "model to train");
ABSL_FLAG(std::string, algorithm, "elastic_gossip:p=1/8", "algorithm to compare with none");
ABSL_FLAG(int, peers, 2, "peers on this machine");
ABSL_FLAG(int, batch_size, 128, "examples in one step");
ABSL_FLAG(int, rounds, 3, "pairs of runs");
ABSL_FLAG(absl::Duration, warm_up, absl::Seconds(5), "training before measuring");
ABSL_FLAG(absl::Duration, seconds, absl::Seconds(15), "length of one measurement");

namespace starling {
namespace {

struct Measurement {
  double steps_per_second = 0;  // mean over the peers
  double mixing_share = 0;      // largest over the peers
  uint64_t exchanges = 0;
};

absl::StatusOr<Measurement> Measure(const std::string& algorithm, const StopSignal& stop) {
  auto directory = TempDirectory::Create("starling-bench-");
  if (!directory.ok()) return directory.status();
  DemoSwarm::Options options;
  options.demo.model = absl::GetFlag(FLAGS_model);
  options.demo.algorithm = algorithm;
  options.demo.peers = absl::GetFlag(FLAGS_peers);
  options.demo.batch_size = absl::GetFlag(FLAGS_batch_size);
  options.demo.epochs = 1e6;
  options.demo.decay_share = 0;
  options.demo.pace = 0;
  auto paths = FindDaemons(absl::StrCat(ProgramDirectory(), "/../../peer/cli"));
  if (!paths.ok()) return paths.status();
  options.paths = *paths;
  options.log_directory = options.work_directory = directory->path();
  DemoSwarm swarm(options, &stop);
  if (absl::Status status = swarm.Start(); !status.ok()) return status;

  auto all_train = [&] {
    return std::all_of(swarm.peers().begin(), swarm.peers().end(), [](const DemoPeer& peer) {
      return peer.Trains();
    });
  };
  const absl::Time give_up = absl::Now() + absl::Seconds(120);
  while (!all_train()) {
    if (stop.number() != 0) return absl::CancelledError("stopped");
    if (absl::Now() > give_up) return absl::DeadlineExceededError("the peers do not come to train");
    swarm.Poll();
    stop.Sleep(absl::Milliseconds(100));
  }
  auto wait = [&](absl::Duration length) {
    stop.Sleep(length);
    swarm.Poll();
  };
  wait(absl::GetFlag(FLAGS_warm_up));
  std::vector<uint64_t> before;
  for (const DemoPeer& peer : swarm.peers()) before.push_back(peer.status.training().step());
  const absl::Time begin = absl::Now();
  wait(absl::GetFlag(FLAGS_seconds));
  const double elapsed = absl::ToDoubleSeconds(absl::Now() - begin);
  Measurement result;
  for (size_t i = 0; i < before.size(); ++i) {
    const v1::Status& status = swarm.peers()[i].status;
    result.steps_per_second += static_cast<double>(status.training().step() - before[i]) /
                               elapsed / static_cast<double>(before.size());
    result.mixing_share = std::max(result.mixing_share, status.training().mixing_time_share());
    result.exchanges += status.gossip().exchanges_committed();
  }
  swarm.Stop();
  return result;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

int Main(int argc, char** argv) {
  const FlagScope scope{{"tests/bench/trainer_overhead.cc"}};
  const auto positional = ParseFlags(argc, argv, scope);
  if (absl::IsCancelled(positional.status())) {
    std::printf("trainer_overhead: what gossip costs the trainer\n\n%s", FlagsHelp(scope).c_str());
    return kExitOk;
  }
  if (!positional.ok()) {
    std::fprintf(stderr, "trainer_overhead: %s\n", positional.status().ToString().c_str());
    return ExitCodeFor(positional.status());
  }
  StopSignal stop;
  const std::string algorithm = absl::GetFlag(FLAGS_algorithm);
  std::printf("%s, batch %d, %d peers on %u cores\n", absl::GetFlag(FLAGS_model).c_str(),
              absl::GetFlag(FLAGS_batch_size), absl::GetFlag(FLAGS_peers),
              std::thread::hardware_concurrency());
  std::printf("%5s  %12s  %12s  %6s  %12s  %9s\n", "round", "none", algorithm.substr(0, 12).c_str(),
              "ratio", "mixing share", "exchanges");
  std::vector<double> ratios, shares;
  for (int round = 0; round < absl::GetFlag(FLAGS_rounds); ++round) {
    const auto none = Measure("none", stop);
    const auto gossip = none.ok() ? Measure(algorithm, stop) : none;
    if (!gossip.ok()) {
      std::fprintf(stderr, "trainer_overhead: %s\n", gossip.status().ToString().c_str());
      return ExitCodeFor(gossip.status());
    }
    ratios.push_back(gossip->steps_per_second / none->steps_per_second);
    shares.push_back(gossip->mixing_share);
    std::printf("%5d  %8.2f st/s  %8.2f st/s  %6.3f  %11.1f%%  %9llu\n", round + 1,
                none->steps_per_second, gossip->steps_per_second, ratios.back(),
                100 * shares.back(), static_cast<unsigned long long>(gossip->exchanges));
    std::fflush(stdout);
  }
  std::printf("median ratio %.3f, median share of the training thread's time spent mixing %.1f%%\n",
              Median(ratios), 100 * Median(shares));
  return kExitOk;
}

}  // namespace
}  // namespace starling

int main(int argc, char** argv) { return starling::Main(argc, argv); }
