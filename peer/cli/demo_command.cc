// `starling demo`: a whole swarm on this machine, from start to result.

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "peer/cli/commands.h"
#include "peer/cli/daemon_paths.h"
#include "peer/cli/demo_algorithm.h"
#include "peer/cli/demo_comparison.h"
#include "peer/cli/demo_options.h"
#include "peer/cli/demo_report.h"
#include "peer/cli/demo_run.h"
#include "peer/cli/json_output.h"
#include "peer/cli/live_screen.h"
#include "peer/cli/output_flag.h"
#include "peer/cli/stop_signal.h"
#include "peer/cli/swarm_flags.h"
#include "peer/cli/temp_directory.h"
#include "peer/runtime/exit_codes.h"

ABSL_FLAG(std::string, model, "mlp", "network to train: mlp, mlp_small, mlp_large, cnn");
ABSL_FLAG(std::string, algorithm, "elastic_gossip",
          "how peers mix, NAME[:option=value,...]; `starling algorithms` lists them, none keeps "
          "peers apart");
ABSL_FLAG(std::string, optimizer, "", "sgd, nesterov, nesterov_velocity, adamw, adahessian or lars; empty is the usual one of the "
          "algorithm, else the daemons' default");
ABSL_FLAG(std::string, request_codec, "fp32",
          "how parameters travel in the peers' requests: fp32, bf16, fp16");
ABSL_FLAG(std::string, reply_codec, "fp32",
          "how their replies travel; where these are differences, coarser than parameters may be: int8, "
          "qsgd:bits=4, topk:share=1/100 and others");
ABSL_FLAG(double, learning_rate, 0, "step length; 0 is the optimizer's default");
ABSL_FLAG(double, decay_share, 1.0 / 3,
          "last share of the run over which the step length falls to 0; 0 keeps it constant");
ABSL_FLAG(int, batch_size, 0, "examples in one local step; 0 is the daemons' default");
ABSL_FLAG(double, epochs, 3, "passes of each peer over its own part of the data");
ABSL_FLAG(double, dirichlet_alpha, 0,
          "0 splits the data evenly; smaller positive values more unequally by class");
ABSL_FLAG(int64_t, averaging_period, 0, "steps between exact averages over all peers; 0 is never");
ABSL_FLAG(bool, final_merge, false, "one exact average over all peers after the last step");
ABSL_FLAG(bool, churn, false, "kill one peer a third of the way, add one at two thirds");
ABSL_FLAG(double, pace, -1,
          "most steps per second of one peer; 0 is no limit; -1 is no limit without --churn and "
          "with it about 25 s of training, so that the swarm has time to notice the death");
ABSL_FLAG(std::string, compare, "",
          "run once more with this algorithm and the same seed, and compare the averaged models; a "
          "list NAME,NAME,... or all runs those and --algorithm, each once, and ends with one table");
ABSL_FLAG(absl::Duration, timeout, absl::Seconds(170), "the whole demo is stopped after this; of several compared, each run");

namespace starling {
namespace {

constexpr char kHelp[] =
    R"(Starts a coordinator and peers as real processes on this machine, shows them while they train
one network together, and ends with what came out: the test accuracy of each peer and of the
average of their models, exchanges, traffic, time. Nothing it started outlives it, whatever
happens. On a terminal the view is redrawn (NO_COLOR is honoured), elsewhere it is a line every
2 s.

examples:
  starling demo
  starling demo --churn                     one peer is killed, another joins
  starling demo --dirichlet_alpha=0.3 --compare=none
                                            what the exchanges are worth on uneven data
  starling demo --request_codec=bf16 --reply_codec=int8
                                            exchanges of three eighths of the bytes
  starling demo --algorithm=easgd --peers=3 three peers and a fourth that holds the centre
  starling demo --compare=all --epochs=1    every algorithm, one after the other, in one table
  starling demo --output=json 2>/dev/null | jq .averaged.test_accuracy

exit codes: 0 it ended well, 1 one of several compared did not, 64 wrong usage, 66 no data files, 69 could not start, 70 a daemon
failed, 73 the logs cannot be written, 75 --timeout came first, 130 Ctrl-C, 143 SIGTERM
)";

DemoOptions OptionsFromFlags() {
  return {.peers = absl::GetFlag(FLAGS_peers),
          .model = absl::GetFlag(FLAGS_model),
          .algorithm = absl::GetFlag(FLAGS_algorithm),
          .data = absl::GetFlag(FLAGS_data),
          .request_codec = absl::GetFlag(FLAGS_request_codec),
          .reply_codec = absl::GetFlag(FLAGS_reply_codec),
          .data_dir = absl::GetFlag(FLAGS_data_dir),
          .optimizer = absl::GetFlag(FLAGS_optimizer),
          .learning_rate = absl::GetFlag(FLAGS_learning_rate),
          .decay_share = absl::GetFlag(FLAGS_decay_share),
          .batch_size = absl::GetFlag(FLAGS_batch_size),
          .epochs = absl::GetFlag(FLAGS_epochs),
          .seed = absl::GetFlag(FLAGS_seed),
          .dirichlet_alpha = absl::GetFlag(FLAGS_dirichlet_alpha),
          .averaging_period = absl::GetFlag(FLAGS_averaging_period),
          .final_merge = absl::GetFlag(FLAGS_final_merge),
          .churn = absl::GetFlag(FLAGS_churn),
          .pace = absl::GetFlag(FLAGS_pace),
          .keep_logs = absl::GetFlag(FLAGS_keep_logs),
          .timeout = absl::GetFlag(FLAGS_timeout)};
}

int CannotCreate(const absl::Status& error) {
  Fail(error);
  return kExitCantCreate;
}

// The directories of one run: `name` below the temporary one and, for logs, below --keep_logs.
absl::StatusOr<DemoSwarm::Options> Prepare(const DemoOptions& demo, const DaemonPaths& paths,
                                           const TempDirectory& temp, const std::string& name) {
  DemoSwarm::Options options = {.demo = demo, .paths = paths};
  options.work_directory = absl::StrCat(temp.path(), "/", name);
  options.log_directory = demo.keep_logs.empty() ? absl::StrCat(options.work_directory, "/logs")
                                                 : absl::StrCat(demo.keep_logs, "/", name);
  for (const std::string& directory : {options.work_directory, options.log_directory}) {
    if (absl::Status made = MakeDirectories(directory); !made.ok()) return made;
  }
  return options;
}

// People read results on stdout and a failed start, which is no result, on stderr.
void PrintReport(const DemoReport& report) {
  std::FILE* stream = report.outcome == DemoOutcome::kNotStarted ? stderr : stdout;
  std::fputs(absl::StrCat(stream == stdout ? "\n" : "", RenderReport(report)).c_str(), stream);
  std::fflush(stream);
}

// Where and how every run of this command takes place.
struct Stage {
  const DaemonPaths& paths;
  const TempDirectory& temp;
  const StopSignal& stop;
  LiveScreen& screen;
  bool json;
};

// One run, or two that are compared.
int RunOneOrTwo(const DemoOptions& options, const std::optional<DemoOptions>& compared,
                const Stage& stage) {
  const absl::Time deadline = absl::Now() + options.timeout;
  const absl::StatusOr<DemoSwarm::Options> first =
      Prepare(options, stage.paths, stage.temp, "run");
  if (!first.ok()) return CannotCreate(first.status());
  const DemoReport report = RunDemo(*first, deadline, stage.stop, stage.screen);
  int exit_code = DemoExitCode(report);
  if (!stage.json || report.outcome == DemoOutcome::kNotStarted) PrintReport(report);

  std::optional<DemoReport> other;
  if (compared && report.outcome == DemoOutcome::kFinished) {
    stage.screen.Say(absl::StrCat("\nonce more with --algorithm=", compared->algorithm));
    const absl::StatusOr<DemoSwarm::Options> second =
        Prepare(*compared, stage.paths, stage.temp, "compare");
    if (!second.ok()) return CannotCreate(second.status());
    other = RunDemo(*second, deadline, stage.stop, stage.screen);
    if (exit_code == kExitOk) exit_code = DemoExitCode(*other);
    if (!stage.json) {
      PrintReport(*other);
      std::fputs(absl::StrCat("\n", RenderComparison(report, *other)).c_str(), stdout);
    }
  }
  if (stage.json) {
    std::fputs(DemoJson(report, other ? &*other : nullptr, exit_code).c_str(), stdout);
  }
  return exit_code;
}

// All of them, whatever becomes of one; a signal ends it with what there is.
int RunSeveral(const DemoOptions& options, const std::vector<std::string>& algorithms,
               const Stage& stage) {
  std::vector<DemoReport> reports;
  for (const std::string& algorithm : algorithms) {
    if (stage.stop.number() != 0) break;
    const std::string turn = absl::StrCat("[", reports.size() + 1, " of ", algorithms.size(), "] ");
    stage.screen.Say(absl::StrCat(turn, algorithm));
    const absl::StatusOr<DemoOptions> own = WithAlgorithm(options, algorithm);
    if (own.ok()) {
      const absl::StatusOr<DemoSwarm::Options> prepared =
          Prepare(*own, stage.paths, stage.temp, absl::StrCat("run", reports.size() + 1));
      if (!prepared.ok()) return CannotCreate(prepared.status());
      reports.push_back(
          RunDemo(*prepared, absl::Now() + options.timeout, stage.stop, stage.screen));
    } else {
      DemoOptions refused = options;
      refused.algorithm = algorithm;
      reports.push_back(RefusedRun(std::move(refused), own.status()));
    }
    stage.screen.Say(absl::StrCat(turn, algorithm, ": ", ComparedLine(reports.back())));
  }
  // Also where the signal came between two runs, which all know nothing of it.
  const int exit_code = stage.stop.number() != 0 ? ExitCodeForSignal(stage.stop.number())
                                                 : ComparedExitCode(reports);
  std::fputs(stage.json ? ComparedJson(reports, exit_code).c_str()
                        : absl::StrCat("\n", RenderComparedRuns(reports)).c_str(),
             stdout);
  return exit_code;
}

int Run(const std::string&) {
  if (absl::Status format = RefuseMarkdown(); !format.ok()) return Fail(format);
  const DemoOptions asked = OptionsFromFlags();
  if (absl::Status valid = asked.Validate(); !valid.ok()) return Fail(valid);
  const absl::StatusOr<DemoOptions> options = WithAlgorithm(asked, asked.algorithm);
  if (!options.ok()) return Fail(options.status());
  std::vector<std::string> several;
  std::optional<DemoOptions> compared;
  if (const std::string compare = absl::GetFlag(FLAGS_compare); !compare.empty()) {
    absl::StatusOr<std::vector<std::string>> listed = ComparedAlgorithms(asked.algorithm, compare);
    if (!listed.ok()) return Fail(listed.status());
    if (IsList(compare)) {
      several = *std::move(listed);
    } else {
      absl::StatusOr<DemoOptions> second = WithAlgorithm(asked, compare);
      if (!second.ok()) return Fail(second.status());
      compared = *std::move(second);
    }
  }
  const absl::StatusOr<DaemonPaths> paths = FindDaemons(ProgramDirectory());
  if (!paths.ok()) return Fail(paths.status());

  const StopSignal stop;
  const absl::StatusOr<TempDirectory> temp = TempDirectory::Create("starling-demo-");
  if (!temp.ok()) return CannotCreate(temp.status());
  const bool json = WantedOutput() == OutputFormat::kJson;
  LiveScreen screen(json ? stderr : stdout);
  const Stage stage = {*paths, *temp, stop, screen, json};
  const int exit_code = several.empty() ? RunOneOrTwo(*options, compared, stage)
                                        : RunSeveral(asked, several, stage);
  std::fflush(stdout);
  return exit_code;
}

}  // namespace

Command DemoCommand() {
  return {.name = "demo",
          .summary = "train with a whole swarm on this machine and see the result",
          .help = kHelp,
          .flag_files = {"peer/cli/demo_command.cc", kSwarmFlagsFile, kOutputFlagFile},
          .run = Run};
}

}  // namespace starling
