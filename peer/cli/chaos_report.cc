#include "peer/cli/chaos_report.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "peer/cli/stop_signal.h"
#include "peer/cli/table.h"
#include "peer/cli/words.h"
#include "peer/runtime/exit_codes.h"
#include "peer/runtime/one_line.h"

namespace starling {
namespace {

constexpr char kNotApplicable[] = "-";
constexpr char kLegend[] = R"(
next exchange  from the fault until each of the others had another exchange of its own committed
SUSPECT, DEAD  from the fault until all who lost sight of a peer saw it so; "-": nobody should
one view       from the end of the fault until everybody saw everybody left ALIVE and nobody else,
               and that stayed so
one model      from the end of the fault until the mean consensus distance was normal again, at most
               a quarter above its highest before the fault, and that stayed so
longest pause  of any of the others' step counters after the fault; in brackets, before it
steps lost     what fits into that pause beyond the step that was due anyway
wrong          pairs of others (who, of whom) that ever held a reachable peer for SUSPECT / DEAD
accuracy       of the average of all models at the end; undisturbed: without the fault
)";

using Figure = std::optional<double> ChaosFigures::*;

std::optional<double> TimeOf(const ChaosRow& row, Figure figure) {
  return MedianTime(row.runs, [&](const ChaosRun& run) { return run.figures.*figure; });
}

template <typename Value>
double MedianOf(const ChaosRow& row, Value ChaosFigures::*figure) {
  std::vector<double> values;
  for (const ChaosRun& run : row.runs) values.push_back(static_cast<double>(run.figures.*figure));
  return Median(std::move(values)).value_or(0);
}

// The worst of all runs: one wrong opinion is one too many.
int MostOf(const ChaosRow& row, int ChaosFigures::*figure) {
  int most = 0;
  for (const ChaosRun& run : row.runs) most = std::max(most, run.figures.*figure);
  return most;
}

std::string Seconds(double seconds) { return absl::StrFormat("%.2f s", seconds); }

std::string TimeText(const std::optional<double>& seconds) {
  return seconds ? Seconds(*seconds) : "never";
}

bool IsNoticed(const ChaosRow& row) {
  return row.event.fault == ChaosFault::kKill || row.event.fault == ChaosFault::kFreeze ||
         row.event.fault == ChaosFault::kPartition;
}

std::vector<std::string> Cells(const ChaosRow& row) {
  if (row.runs.empty()) return {row.event.title, row.skipped.empty() ? "no run" : "skipped"};
  std::vector<double> accuracies;
  for (const ChaosRun& run : row.runs) accuracies.push_back(run.accuracy);
  const std::optional<double> undisturbed = Median(row.undisturbed);
  return {row.event.title,
          TimeText(TimeOf(row, &ChaosFigures::next_exchange)),
          IsNoticed(row) ? TimeText(TimeOf(row, &ChaosFigures::suspected)) : kNotApplicable,
          IsNoticed(row) ? TimeText(TimeOf(row, &ChaosFigures::dead)) : kNotApplicable,
          TimeText(TimeOf(row, &ChaosFigures::one_view)),
          TimeText(TimeOf(row, &ChaosFigures::one_model)),
          absl::StrCat(Seconds(MedianOf(row, &ChaosFigures::longest_pause)), " (",
                       Seconds(MedianOf(row, &ChaosFigures::longest_pause_before)), ")"),
          absl::StrFormat("%.0f", MedianOf(row, &ChaosFigures::steps_lost)),
          absl::StrCat(MostOf(row, &ChaosFigures::wrongly_suspected), " / ",
                       MostOf(row, &ChaosFigures::wrongly_dead)),
          AccuracyText(*Median(std::move(accuracies))),
          undisturbed ? AccuracyText(*undisturbed) : kNotApplicable};
}

}  // namespace

std::optional<double> Median(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  if (values.size() % 2 == 1) return values[middle];
  return (values[middle - 1] + values[middle]) / 2;
}

std::optional<double> MedianTime(
    const std::vector<ChaosRun>& runs,
    const std::function<std::optional<double>(const ChaosRun&)>& figure) {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  std::vector<double> times;
  for (const ChaosRun& run : runs) times.push_back(figure(run).value_or(kNever));
  const std::optional<double> median = Median(std::move(times));
  return median && *median < kNever ? median : std::nullopt;
}

int ChaosExitCode(const ChaosReport& report) {
  if (report.signal != 0) return ExitCodeForSignal(report.signal);
  for (const ChaosRow& row : report.rows) {
    if (!row.problems.empty()) return kExitInternal;
  }
  return kExitOk;
}

std::string RenderChaos(const ChaosReport& report) {
  size_t runs = 0;
  for (const ChaosRow& row : report.rows) runs = std::max(runs, row.runs.size());
  std::string text = absl::StrCat(
      report.peers, " peers, preset ", report.preset, ", ", NumberText(report.steps_per_second),
      " steps/s each, ", runs == 1 ? "one run" : absl::StrCat("median of ", runs, " runs"),
      " from seed ", report.seed,
      report.signal == 0 ? "" : absl::StrCat(" (stopped early by signal ", report.signal, ")"),
      "\n\n");
  Table table({{"fault", Align::kLeft}, {"next exchange"}, {"SUSPECT"}, {"DEAD"}, {"one view"},
               {"one model"}, {"longest pause"}, {"steps lost"}, {"wrong"}, {"accuracy"},
               {"undisturbed"}});
  for (const ChaosRow& row : report.rows) table.AddRow(Cells(row));
  absl::StrAppend(&text, table.ToString(), kLegend);
  for (const ChaosRow& row : report.rows) {
    if (row.event.fault == ChaosFault::kJoin && !row.runs.empty()) {
      absl::StrAppend(&text, "join: the newcomer, started at the fault, had made a step after ",
                      TimeText(TimeOf(row, &ChaosFigures::newcomer_steps)), "\n");
    }
    if (!row.skipped.empty()) {
      absl::StrAppend(&text, row.event.title, " SKIPPED: ", OneLine(row.skipped), "\n");
    }
    for (const std::string& problem : row.problems) {
      absl::StrAppend(&text, row.event.title, " FAILED: ", OneLine(problem), "\n");
    }
  }
  return text;
}

}  // namespace starling
