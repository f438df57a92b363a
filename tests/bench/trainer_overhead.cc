// What gossip costs the trainer: steps per second with an algorithm over steps per second without,
// for real daemons side by side on this machine.
//
//   bazel run //tests/bench:trainer_overhead -- --rounds=3 --seconds=15
//
// In each round there is a run of `none` and one of each case, so that a slow spell of a shared machine hits
// all of them; each ratio is taken within one round, and the median of the rounds is the figure.
// "ns/byte" is the processor time of all peers beyond that of as many steps of `none`, over the bytes of payloads that
// they sent; where exchanges are few it is lost in the noise of the steps.

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "peer/cli/daemon_paths.h"
#include "peer/cli/demo_swarm.h"
#include "peer/cli/stop_signal.h"
#include "peer/cli/temp_directory.h"
#include "peer/runtime/exit_codes.h"
#include "peer/runtime/flags.h"
#include "tests/bench/json_rows.h"
#include "tests/bench/median.h"

ABSL_FLAG(std::string, model, "mlp_large", "model to train");
ABSL_FLAG(std::string, cases,
          "elastic_gossip:p=1/32;elastic_gossip:p=1/8;elastic_gossip:p=1/8 bf16/bf16;"
          "elastic_gossip:p=1/2;elastic_gossip:p=1",
          "what to compare with none: algorithms, separated by semicolons, each perhaps with its codecs");
ABSL_FLAG(int, peers, 2, "peers on this machine");
ABSL_FLAG(int, batch_size, 128, "examples in one step");
ABSL_FLAG(int, rounds, 3, "runs of each");
ABSL_FLAG(absl::Duration, warm_up, absl::Seconds(5), "training before measuring");
ABSL_FLAG(absl::Duration, seconds, absl::Seconds(15), "length of one measurement");

namespace starling {
namespace {

struct Case {
  std::string algorithm;
  std::string request_codec = "fp32";
  std::string reply_codec = "fp32";
  std::vector<double> ratios;
  std::vector<double> shares;
  std::vector<double> nanoseconds;

  std::string name() const {
    return absl::StrCat(algorithm, " ", request_codec, "/", reply_codec);
  }
};

// From "ALGORITHM" or "ALGORITHM REQUEST/REPLY".
Case CaseOf(absl::string_view text) {
  const std::pair<std::string, std::string> words = absl::StrSplit(text, absl::MaxSplits(' ', 1));
  Case made{words.first};
  if (words.second.empty()) return made;
  const std::pair<std::string, std::string> codecs =
      absl::StrSplit(words.second, absl::MaxSplits('/', 1));
  made.request_codec = codecs.first;
  made.reply_codec = codecs.second;
  return made;
}

struct Measurement {
  double steps_per_second = 0;  // mean over the peers
  double mixing_share = 0;      // largest over the peers
  uint64_t exchanges = 0;
  uint64_t bytes = 0;           // of payloads sent, by all peers
  double processor_seconds = 0;  // of all peers
  double steps = 0;              // of all peers
};

// What a process has used so far; 0 if it is gone.
double ProcessorSeconds(pid_t process) {
  std::ifstream file(absl::StrCat("/proc/", process, "/stat"));
  const std::string stat(std::istreambuf_iterator<char>(file), {});
  const std::vector<std::string> fields = absl::StrSplit(stat.substr(stat.rfind(')') + 1), ' ');
  double user, system;
  // Fields 14 and 15 of proc(5), in ticks.
  if (fields.size() < 14 || !absl::SimpleAtod(fields[12], &user) || !absl::SimpleAtod(fields[13], &system)) return 0;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

// What all peers have done so far.
Measurement SoFar(const DemoSwarm& swarm) {
  Measurement sum;
  for (size_t i = 0; i < swarm.peers().size(); ++i) {
    const v1::Status& status = swarm.peers()[i].status;
    sum.steps += static_cast<double>(status.training().step());
    sum.mixing_share = std::max(sum.mixing_share, status.training().mixing_time_share());
    sum.exchanges += status.gossip().exchanges_committed();
    sum.bytes += status.gossip().bytes_sent();
    sum.processor_seconds += ProcessorSeconds(swarm.ProcessOf(i));
  }
  return sum;
}

absl::StatusOr<Measurement> Measure(const Case& what, const StopSignal& stop) {
  auto directory = TempDirectory::Create("starling-bench-");
  if (!directory.ok()) return directory.status();
  DemoSwarm::Options options;
  options.demo.model = absl::GetFlag(FLAGS_model);
  options.demo.algorithm = what.algorithm;
  options.demo.request_codec = what.request_codec;
  options.demo.reply_codec = what.reply_codec;
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
  const Measurement before = SoFar(swarm);
  const absl::Time begin = absl::Now();
  wait(absl::GetFlag(FLAGS_seconds));
  const double elapsed = absl::ToDoubleSeconds(absl::Now() - begin);
  Measurement result = SoFar(swarm);
  result.steps -= before.steps;
  result.exchanges -= before.exchanges;
  result.bytes -= before.bytes;
  result.processor_seconds -= before.processor_seconds;
  result.steps_per_second = result.steps / elapsed / static_cast<double>(swarm.peers().size());
  swarm.Stop();
  return result;
}

int Main(int argc, char** argv) {
  const FlagScope scope{{"tests/bench/trainer_overhead.cc", kJsonRowsFlags}};
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
  std::vector<Case> cases;
  for (const absl::string_view text :
       absl::StrSplit(absl::GetFlag(FLAGS_cases), ';', absl::SkipWhitespace())) {
    cases.push_back(CaseOf(text));
  }
  std::printf("%s, batch %d, %d peers on %u cores\n", absl::GetFlag(FLAGS_model).c_str(),
              absl::GetFlag(FLAGS_batch_size), absl::GetFlag(FLAGS_peers),
              std::thread::hardware_concurrency());
  JsonRows rows("trainer_overhead");
  std::printf("%5s  %-36s  %10s  %6s  %12s  %9s  %8s\n", "round", "", "steps/s", "ratio", "mixing share",
              "exchanges", "ns/byte");
  for (int round = 1; round <= absl::GetFlag(FLAGS_rounds); ++round) {
    auto measured = Measure(Case{"none"}, stop);
    const double alone = measured.ok() ? measured->steps_per_second : 0;
    const double step = measured.ok() ? measured->processor_seconds / measured->steps : 0;
    if (measured.ok()) std::printf("%5d  %-36s  %10.2f\n", round, "none", alone);
    for (Case& each : cases) {
      if (measured.ok()) measured = Measure(each, stop);
      if (!measured.ok()) {
        std::fprintf(stderr, "trainer_overhead: %s\n", measured.status().ToString().c_str());
        return ExitCodeFor(measured.status());
      }
      each.ratios.push_back(measured->steps_per_second / alone);
      each.shares.push_back(measured->mixing_share);
      each.nanoseconds.push_back(1e9 * (measured->processor_seconds - step * measured->steps) /
                                 static_cast<double>(measured->bytes));
      std::printf("%5d  %-36s  %10.2f  %6.3f  %11.1f%%  %9llu  %8.2f\n", round, each.name().c_str(),
                  measured->steps_per_second, each.ratios.back(), 100 * each.shares.back(),
                  static_cast<unsigned long long>(measured->exchanges), each.nanoseconds.back());
      std::fflush(stdout);
    }
  }
  std::printf("medians\n");
  for (const Case& each : cases) {
    std::printf("       %-36s  %10s  %6.3f  %11.1f%%  %9s  %8.2f\n", each.name().c_str(), "", Median(each.ratios),
                100 * Median(each.shares), "", Median(each.nanoseconds));
    rows.Add({{"model", absl::GetFlag(FLAGS_model)},
              {"case", each.name()},
              {"ratio", Median(each.ratios)},
              {"ratios", each.ratios},
              {"mixing_share", Median(each.shares)},
              {"ns_per_byte", Median(each.nanoseconds)}});
  }
  if (absl::Status status = rows.Write(); !status.ok()) {
    std::fprintf(stderr, "trainer_overhead: %s\n", status.ToString().c_str());
    return ExitCodeFor(status);
  }
  return kExitOk;
}

}  // namespace
}  // namespace starling

int main(int argc, char** argv) { return starling::Main(argc, argv); }
