// run: the published experiments again, on Fashion-MNIST.
//
//   bazel run //tests/reproduction:run -- --experiment=B1 --out=/tmp/reproduction
//
// trains for real, in simulated time over a simulated network, and writes for every experiment
// ID.csv (metrics), ID-curves.csv, ID.md (a table) and ID.svg. The same command writes the same bytes.
// Exit codes: 0, 1 a run failed (named in the table), 64 bad flags, 66 no Fashion-MNIST, 73 cannot write.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "peer/runtime/exit_codes.h"
#include "peer/runtime/flags.h"
#include "tests/reproduction/experiments.h"
#include "tests/reproduction/fashion.h"
#include "tests/reproduction/report.h"
#include "tests/reproduction/runner.h"

ABSL_FLAG(std::string, experiment, "all", "B1, or several as B1,B17, or all");
ABSL_FLAG(std::vector<std::string>, seeds, (std::vector<std::string>{"1", "2", "3"}),
          "every setting is run once with each");
ABSL_FLAG(std::string, out, "reproduction",
          "directory for the files; made if absent, below where the command was typed");
ABSL_FLAG(bool, quick, false,
          "a tenth of the steps, two seeds: whether everything works, not what comes out");
ABSL_FLAG(int, threads, 2, "runs at once, 1 to 64");

namespace starling {
namespace {

const FlagScope& Scope() {
  static const FlagScope& scope = *new FlagScope{{"tests/reproduction/run_main.cc"}};
  return scope;
}

absl::StatusOr<RunnerOptions> OptionsFromFlags() {
  RunnerOptions options;
  options.quick = absl::GetFlag(FLAGS_quick);
  options.threads = absl::GetFlag(FLAGS_threads);
  if (options.threads < 1 || options.threads > 64) {
    return absl::InvalidArgumentError(
        absl::StrCat("--threads is ", options.threads, "; must be from 1 to 64"));
  }
  options.seeds.clear();
  for (const std::string& text : absl::GetFlag(FLAGS_seeds)) {
    uint64_t seed;
    if (!absl::SimpleAtoi(text, &seed)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--seeds has \"", text, "\"; must be whole numbers, like 1,2,3"));
    }
    options.seeds.push_back(seed);
  }
  if (options.seeds.empty()) return absl::InvalidArgumentError("--seeds is empty");
  options.progress = [](size_t done, size_t all) {
    std::fprintf(stderr, "\r  %zu of %zu runs", done, all);
  };
  return options;
}

// `bazel run` starts programs elsewhere than where the command was typed.
std::filesystem::path OutputDirectory() {
  const char* const typed_in = std::getenv("BUILD_WORKING_DIRECTORY");
  return std::filesystem::path(typed_in != nullptr ? typed_in : ".") / absl::GetFlag(FLAGS_out);
}

absl::Status Write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (file) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(path.string(), " cannot be written"));
}

absl::Status WriteReports(const std::filesystem::path& directory, const ExperimentResults& results) {
  const std::string& id = results.experiment.id;
  for (const auto& [name, text] : {std::pair(id + ".csv", MetricsCsv(results)),
                                   std::pair(id + "-curves.csv", CurvesCsv(results)),
                                   std::pair(id + ".md", MarkdownTable(results)),
                                   std::pair(id + ".svg", SvgOf(results))}) {
    if (absl::Status status = Write(directory / name, text); !status.ok()) return status;
  }
  return absl::OkStatus();
}

bool AnyFailed(const ExperimentResults& results) {
  for (const auto& cell : results.runs) {
    for (const auto& run : cell) {
      if (!run.ok()) return true;
    }
  }
  return false;
}

int Complain(const absl::Status& status, int exit_code) {
  std::fprintf(stderr, "run: %s\n", std::string(status.message()).c_str());
  return exit_code;
}

int Main(int argc, char** argv) {
  const auto positional = ParseFlags(argc, argv, Scope());
  if (absl::IsCancelled(positional.status())) {
    std::printf("run: the published experiments on Fashion-MNIST\n\n%s", FlagsHelp(Scope()).c_str());
    return kExitOk;
  }
  if (!positional.ok()) return Complain(positional.status(), kExitUsage);
  if (!positional->empty()) {
    return Complain(absl::InvalidArgumentError(
                        absl::StrCat("unexpected argument ", positional->front())), kExitUsage);
  }
  const auto experiments = ExperimentsNamed(absl::GetFlag(FLAGS_experiment));
  if (!experiments.ok()) return Complain(experiments.status(), kExitUsage);
  const auto options = OptionsFromFlags();
  if (!options.ok()) return Complain(options.status(), kExitUsage);
  const auto data = LoadReproductionData(/*synthetic=*/false);
  if (!data.ok()) return Complain(data.status(), ExitCodeFor(data.status()));
  const std::filesystem::path directory = OutputDirectory();
  std::error_code error;
  std::filesystem::create_directories(directory, error);

  bool failed = false;
  for (const Experiment& experiment : *experiments) {
    std::fprintf(stderr, "%s: %s\n", experiment.id.c_str(), experiment.title.c_str());
    const absl::Time began = absl::Now();
    const ExperimentResults results = RunExperiment(experiment, *data, *options);
    const absl::Status written = WriteReports(directory, results);
    if (!written.ok()) return Complain(written, kExitCantCreate);
    std::fprintf(stderr, ", %.0f s\n", absl::ToDoubleSeconds(absl::Now() - began));
    std::printf("### %s: %s\n\n%s\n", experiment.id.c_str(), experiment.title.c_str(),
                MarkdownTable(results).c_str());
    std::fflush(stdout);
    failed = failed || AnyFailed(results);
  }
  return failed ? kExitOther : kExitOk;
}

}  // namespace
}  // namespace starling

int main(int argc, char** argv) { return starling::Main(argc, argv); }
