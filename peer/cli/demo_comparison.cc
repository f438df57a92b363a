#include "peer/cli/demo_comparison.h"

#include <cmath>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "peer/cli/stop_signal.h"
#include "peer/cli/table.h"
#include "peer/cli/words.h"
#include "peer/runtime/exit_codes.h"
#include "peer/runtime/one_line.h"

namespace starling {
namespace {

constexpr char kReference[] = "allreduce_sgd";

bool IsReference(const DemoReport& report) {
  return report.options.algorithm == kReference ||
         absl::StartsWith(report.options.algorithm, absl::StrCat(kReference, ":"));
}

std::string AccuracyOrDash(const std::optional<double>& accuracy) {
  return accuracy ? AccuracyText(*accuracy) : "-";
}

std::optional<double> Averaged(const DemoReport& report) {
  if (!report.averaged) return std::nullopt;
  return report.averaged->test_accuracy();
}

}  // namespace

DemoReport RefusedRun(DemoOptions options, const absl::Status& why) {
  DemoReport report;
  report.options = std::move(options);
  report.outcome = DemoOutcome::kNotStarted;
  report.reason = std::string(why.message());
  report.startup_exit_code = kExitUsage;
  return report;
}

std::optional<double> PointsBelowAllreduce(const DemoReport& report,
                                           const std::vector<DemoReport>& all) {
  for (const DemoReport& reference : all) {
    if (!IsReference(reference) || !reference.averaged || !report.averaged) continue;
    return 100 * (reference.averaged->test_accuracy() - report.averaged->test_accuracy());
  }
  return std::nullopt;
}

std::string ComparedLine(const DemoReport& report) {
  const std::vector<std::string> problems = Problems(report);
  if (!problems.empty()) return OneLine(problems.front());
  return absl::StrCat(AccuracyOrDash(Averaged(report)), " averaged, lowest ",
                      AccuracyOrDash(LowestAccuracy(report)), ", ",
                      DurationText(report.wall_time));
}

std::string RenderComparedRuns(const std::vector<DemoReport>& reports) {
  Table table({{"algorithm", Align::kLeft},
               {"averaged"},
               {"lowest peer"},
               {"below allreduce"},
               {"sent/peer"},
               {"seconds"},
               {"waiting"},
               {"", Align::kLeft}});
  std::string problems;
  for (const DemoReport& report : reports) {
    const std::optional<double> below = PointsBelowAllreduce(report, reports);
    const std::vector<std::string> wrong = Problems(report);
    std::vector<std::string> row = {OneLine(report.options.algorithm),
                                    AccuracyOrDash(Averaged(report)),
                                    AccuracyOrDash(LowestAccuracy(report)),
                                    below ? absl::StrFormat("%.1f", *below) : "-"};
    if (report.outcome == DemoOutcome::kNotStarted) {
      row.resize(7, "-");
    } else {
      row.push_back(BytesText(static_cast<uint64_t>(std::llround(BytesSentPerWorker(report)))));
      row.push_back(absl::StrFormat("%.1f", absl::ToDoubleSeconds(report.wall_time)));
      row.push_back(ShareText(WaitingShare(report)));
    }
    row.push_back(wrong.empty() ? ""
                  : report.outcome == DemoOutcome::kFinished
                      ? "not well"
                      : OutcomeWord(report.outcome));
    table.AddRow(std::move(row));
    for (const std::string& problem : wrong) {
      absl::StrAppend(&problems, OneLine(report.options.algorithm), ": ", OneLine(problem), "\n");
    }
  }
  return absl::StrCat(table.ToString(), problems.empty() ? "" : "\n", problems);
}

int ComparedExitCode(const std::vector<DemoReport>& reports) {
  int exit_code = kExitOk;
  for (const DemoReport& report : reports) {
    if (report.outcome == DemoOutcome::kInterrupted) return ExitCodeForSignal(report.signal);
    if (DemoExitCode(report) != kExitOk) exit_code = kExitOther;
  }
  return exit_code;
}

}  // namespace starling
