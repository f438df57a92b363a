// `starling chaos`: the recovery scoreboard.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "peer/cli/chaos_event.h"
#include "peer/cli/chaos_network.h"
#include "peer/cli/chaos_report.h"
#include "peer/cli/chaos_run.h"
#include "peer/cli/chaos_swarm.h"
#include "peer/cli/commands.h"
#include "peer/cli/daemon_paths.h"
#include "peer/cli/live_screen.h"
#include "peer/cli/output_flag.h"
#include "peer/cli/stop_signal.h"
#include "peer/cli/swarm_flags.h"
#include "peer/cli/temp_directory.h"
#include "peer/cli/words.h"
#include "peer/runtime/exit_codes.h"
#include "peer/runtime/one_line.h"

ABSL_FLAG(std::string, events, "all",
          "faults to run: kill, freeze2, freeze15, partition, slowlink, loss, coordinator, join; "
          "NAME,NAME,... or all");
ABSL_FLAG(int, runs, 1, "how often each is run, 1 to 100; the scoreboard shows medians");
ABSL_FLAG(std::string, preset, "fast", "timing of failure detection: fast, lan or wan");
ABSL_FLAG(absl::Duration, partition, absl::Seconds(20),
          "how long the partition lasts, 1s to 10m");

namespace starling {
namespace {

// So slow that a laptop has time to spare: what is measured is the swarm and not the machine.
constexpr double kStepsPerSecond = 20;
// Often enough that the time until the next exchange is that of the swarm and not of the dice.
constexpr char kAlgorithm[] = "elastic_gossip:p=1/4";

constexpr char kHelp[] =
    R"(Starts swarms on this machine, one for each fault and run, as real processes; lets them
train, does them harm, watches every daemon 40 times a second, and prints how long recovery took, what it
cost the others, and how good the model became beside that of an undisturbed swarm. Nothing it
started outlives it, whatever happens.

Faults: kill -9 of a peer; freezing one for 2 s and for 15 s (SIGSTOP, SIGCONT); a network that
falls in two halves and heals; a peer behind a link of 20 Mbit/s for 15 s; 10 % of all packets lost for
15 s; the coordinator killed and started again after 5 s without its memory; a peer that joins. The
three of the network need root and the programs ip, tc and nft, and are skipped without.

A run of all faults takes about 6 minutes. The peers are slowed down to 20 steps a second, so that
the machine is not the bottleneck: two cores do for 8 of them.

examples:
  starling chaos --events=kill,freeze2,join
  sudo starling chaos --runs=5 --partition=60s
  starling chaos --output=json 2>/dev/null | jq '.faults[] | {event, median}'

exit codes: 0 every run came to its end, 64 wrong usage, 69 a program is missing, 70 a run came to
nothing, 73 the logs cannot be written, 130 Ctrl-C (with what was found by then), 143 SIGTERM
)";

absl::StatusOr<std::vector<ChaosEvent>> EventsFromFlags() {
  const absl::StatusOr<double> patience = ChaosPatience(absl::GetFlag(FLAGS_preset));
  if (!patience.ok()) return patience.status();
  const absl::Duration partition = absl::GetFlag(FLAGS_partition);
  if (partition < absl::Seconds(1) || partition > absl::Minutes(10)) {
    return absl::InvalidArgumentError(absl::StrCat("--partition=", absl::FormatDuration(partition),
                                                   " is out of range; it takes 1s to 10m"));
  }
  return PickChaosEvents(AllChaosEvents(partition, *patience), absl::GetFlag(FLAGS_events));
}

absl::StatusOr<DemoOptions> SwarmFromFlags() {
  DemoOptions options = {.peers = absl::GetFlag(FLAGS_peers),
                         .algorithm = kAlgorithm,
                         .data = absl::GetFlag(FLAGS_data),
                         .data_dir = absl::GetFlag(FLAGS_data_dir),
                         .decay_share = 0,
                         .seed = absl::GetFlag(FLAGS_seed),
                         .pace = kStepsPerSecond,
                         .keep_logs = absl::GetFlag(FLAGS_keep_logs)};
  if (absl::Status valid = options.Validate(); !valid.ok()) return valid;
  if (options.peers < 3) {
    return absl::InvalidArgumentError(
        absl::StrCat("--peers=", options.peers, ": it takes 3 or more, of whom one is hit and the "
                     "others go on with each other"));
  }
  options.epochs = 0;
  return options;
}

class Scoreboard {
 public:
  Scoreboard(ChaosSwarm::Options options, std::vector<ChaosEvent> events, int runs,
             const TempDirectory& temp, const StopSignal& stop, LiveScreen& screen)
      : options_(std::move(options)), runs_(runs), temp_(temp), stop_(stop), screen_(screen) {
    report_.peers = options_.demo.peers;
    report_.preset = options_.preset;
    report_.seed = options_.demo.seed;
    report_.steps_per_second = kStepsPerSecond;
    for (ChaosEvent& event : events) report_.rows.push_back({.event = std::move(event)});
  }

  absl::StatusOr<ChaosReport> Fill() {
    EnterNetwork();
    for (int run = 0; run < runs_ && stop_.number() == 0; ++run) {
      for (ChaosRow& row : report_.rows) {
        if (!row.skipped.empty() || stop_.number() != 0) continue;
        if (absl::Status status = RunRow(row, run); !status.ok()) return status;
      }
      if (stop_.number() != 0) break;
      if (absl::Status status = RunReference(run); !status.ok()) return status;
    }
    report_.signal = stop_.number();
    return std::move(report_);
  }

 private:
  // Once for all runs, because there is no way back.
  void EnterNetwork() {
    const bool wanted = std::any_of(report_.rows.begin(), report_.rows.end(),
                                    [](const ChaosRow& row) { return row.event.NeedsNetwork(); });
    if (!wanted) return;
    auto network = ChaosNetwork::Enter(report_.peers + 1, temp_.path());
    if (network.ok()) {
      network_ = *std::move(network);
      return;
    }
    for (ChaosRow& row : report_.rows) {
      if (!row.event.NeedsNetwork()) continue;
      row.skipped = std::string(network.status().message());
      Tell(absl::StrCat(row.event.title, " SKIPPED: ", OneLine(row.skipped)));
    }
  }

  absl::Status RunRow(ChaosRow& row, int run) {
    Tell(absl::StrCat(Turn(run), row.event.title, ", ",
                      DurationText(ChaosRunLength(row.event)), " ..."));
    absl::StatusOr<ChaosSwarm::Options> options = Prepare(row.event.name, run);
    if (!options.ok()) return options.status();
    if (row.event.NeedsNetwork()) options->network = network_.get();
    absl::StatusOr<ChaosRun> result = RunChaosEvent(*options, row.event, stop_);
    if (result.ok()) {
      row.runs.push_back(*std::move(result));
    } else if (!absl::IsCancelled(result.status())) {
      row.problems.emplace_back(result.status().message());
      Tell(absl::StrCat(row.event.title, " FAILED: ", OneLine(row.problems.back())));
    }
    return absl::OkStatus();
  }

  absl::Status RunReference(int run) {
    std::vector<absl::Duration> lengths;
    for (const ChaosRow& row : report_.rows) {
      if (row.skipped.empty()) lengths.push_back(ChaosRunLength(row.event));
    }
    std::sort(lengths.begin(), lengths.end());
    lengths.erase(std::unique(lengths.begin(), lengths.end()), lengths.end());
    if (lengths.empty()) return absl::OkStatus();
    Tell(absl::StrCat(Turn(run), "undisturbed, ", DurationText(lengths.back()), " ..."));
    const absl::StatusOr<ChaosSwarm::Options> options = Prepare("undisturbed", run);
    if (!options.ok()) return options.status();
    const absl::StatusOr<std::vector<double>> accuracies =
        RunUndisturbed(*options, lengths, stop_);
    for (ChaosRow& row : report_.rows) {
      if (!row.skipped.empty() || absl::IsCancelled(accuracies.status())) continue;
      if (!accuracies.ok()) {
        row.problems.push_back(absl::StrCat("undisturbed: ", accuracies.status().message()));
        continue;
      }
      const auto at = std::lower_bound(lengths.begin(), lengths.end(), ChaosRunLength(row.event));
      row.undisturbed.push_back((*accuracies)[at - lengths.begin()]);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<ChaosSwarm::Options> Prepare(const std::string& name, int run) {
    ChaosSwarm::Options options = options_;
    const std::string place = absl::StrCat(name, "-", run + 1);
    options.demo.seed += run;
    options.work_directory = absl::StrCat(temp_.path(), "/", place);
    options.log_directory =
        options.demo.keep_logs.empty() ? absl::StrCat(options.work_directory, "/logs")
                                       : absl::StrCat(options.demo.keep_logs, "/", place);
    for (const std::string& directory : {options.work_directory, options.log_directory}) {
      if (absl::Status made = MakeDirectories(directory); !made.ok()) return made;
    }
    return options;
  }

  std::string Turn(int run) const {
    return runs_ == 1 ? "" : absl::StrCat("[", run + 1, " of ", runs_, "] ");
  }

  void Tell(const std::string& line) {
    screen_.Say(absl::StrCat(absl::FormatTime("%H:%M:%S", absl::Now(), absl::LocalTimeZone()), "  ",
                             line));
  }

  const ChaosSwarm::Options options_;
  const int runs_;
  const TempDirectory& temp_;
  const StopSignal& stop_;
  LiveScreen& screen_;
  std::unique_ptr<ChaosNetwork> network_;
  ChaosReport report_;
};

int CannotCreate(const absl::Status& error) {
  Fail(error);
  return kExitCantCreate;
}

int Run(const std::string&) {
  if (absl::Status format = RefuseMarkdown(); !format.ok()) return Fail(format);
  absl::StatusOr<std::vector<ChaosEvent>> events = EventsFromFlags();
  if (!events.ok()) return Fail(events.status());
  const absl::StatusOr<DemoOptions> swarm = SwarmFromFlags();
  if (!swarm.ok()) return Fail(swarm.status());
  const int runs = absl::GetFlag(FLAGS_runs);
  if (runs < 1 || runs > 100) {
    return Fail(absl::InvalidArgumentError(
        absl::StrCat("--runs=", runs, " is out of range; it takes 1 to 100")));
  }
  const absl::StatusOr<DaemonPaths> paths = FindDaemons(ProgramDirectory());
  if (!paths.ok()) return Fail(paths.status());
  const StopSignal stop;
  const absl::StatusOr<TempDirectory> temp = TempDirectory::Create("starling-chaos-");
  if (!temp.ok()) return CannotCreate(temp.status());

  const bool json = WantedOutput() == OutputFormat::kJson;
  LiveScreen screen(stderr);
  Scoreboard scoreboard(
      {.demo = *swarm, .preset = absl::GetFlag(FLAGS_preset), .paths = *paths},
      *std::move(events), runs, *temp, stop, screen);
  const absl::StatusOr<ChaosReport> report = scoreboard.Fill();
  if (!report.ok()) return CannotCreate(report.status());
  const int exit_code = ChaosExitCode(*report);
  std::fputs(json ? ChaosJson(*report, exit_code).c_str() : RenderChaos(*report).c_str(), stdout);
  std::fflush(stdout);
  return exit_code;
}

}  // namespace

Command ChaosCommand() {
  return {.name = "chaos",
          .summary = "kill, freeze and cut off peers on this machine and measure the recovery",
          .help = kHelp,
          .flag_files = {"peer/cli/chaos_command.cc", kSwarmFlagsFile, kOutputFlagFile},
          .run = Run};
}

}  // namespace starling
