#include "tests/reproduction/report.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "tests/reproduction/svg_plot.h"

namespace starling {
namespace {

// A CSV field.
std::string Quoted(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

std::string Number(double value) { return absl::StrFormat("%.9g", value); }

// Calls `use` with (cell index, seed, run).
template <typename Use>
void ForEachRun(const ExperimentResults& results, Use use) {
  for (size_t cell = 0; cell < results.runs.size(); ++cell) {
    for (size_t i = 0; i < results.runs[cell].size(); ++i) {
      use(cell, results.seeds[i], results.runs[cell][i]);
    }
  }
}

PlotLine CourseOf(const ExperimentResults& results, size_t cell) {
  const PlotSpec& plot = results.experiment.plot;
  PlotLine line{results.experiment.cells[cell].label, {}};
  size_t points = 0;
  for (const auto& run : results.runs[cell]) {
    if (run.ok()) points = std::max(points, run->curve.size());
  }
  for (size_t i = 0; i < points; ++i) {
    std::vector<double> xs, ys;
    for (const auto& run : results.runs[cell]) {
      if (!run.ok() || i >= run->curve.size()) continue;
      const CurvePoint& point = run->curve[i];
      xs.push_back(plot.over_seconds ? point.seconds : point.steps);
      ys.push_back(point.Value(plot.metric));
    }
    const MeanAndDeviation y = Summarize(ys);
    line.points.push_back({Summarize(xs).mean, y.mean, y.deviation});
  }
  return line;
}

}  // namespace

MeanAndDeviation MetricOf(const ExperimentResults& results, size_t cell,
                          const std::string& metric) {
  std::vector<double> values;
  for (const auto& run : results.runs[cell]) {
    if (run.ok()) values.push_back(run->Metric(metric));
  }
  return Summarize(values);
}

std::string MetricsCsv(const ExperimentResults& results) {
  std::string csv = "experiment,cell,algorithm,workers,seed,metric,value\n";
  ForEachRun(results, [&](size_t index, uint64_t seed, const absl::StatusOr<CellResult>& run) {
    const Cell& cell = results.experiment.cells[index];
    const std::string head =
        absl::StrCat(results.experiment.id, ",", Quoted(cell.label), ",", Quoted(cell.algorithm), ",",
                     cell.workers, ",", seed, ",");
    if (!run.ok()) {
      absl::StrAppend(&csv, head, "failed,1\n");
      return;
    }
    for (const auto& [metric, value] : run->metrics) {
      absl::StrAppend(&csv, head, metric, ",", Number(value), "\n");
    }
  });
  return csv;
}

std::string CurvesCsv(const ExperimentResults& results) {
  std::string csv =
      "experiment,cell,seed,steps,seconds,train_loss,average_loss,average_accuracy,consensus\n";
  ForEachRun(results, [&](size_t index, uint64_t seed, const absl::StatusOr<CellResult>& run) {
    if (!run.ok()) return;
    for (const CurvePoint& point : run->curve) {
      absl::StrAppend(&csv, results.experiment.id, ",",
                      Quoted(results.experiment.cells[index].label), ",", seed);
      for (const double value : {point.steps, point.seconds, point.train_loss, point.average_loss,
                                 point.average_accuracy, point.consensus}) {
        absl::StrAppend(&csv, ",", Number(value));
      }
      absl::StrAppend(&csv, "\n");
    }
  });
  return csv;
}

std::string MarkdownTable(const ExperimentResults& results) {
  const Experiment& experiment = results.experiment;
  std::string table = "| setting |";
  std::string rule = "|---|";
  for (const Column& column : experiment.columns) {
    absl::StrAppend(&table, " ", column.heading, " |");
    absl::StrAppend(&rule, "---|");
  }
  absl::StrAppend(&table, "\n", rule, "\n");
  for (size_t cell = 0; cell < experiment.cells.size(); ++cell) {
    absl::StrAppend(&table, "| ", experiment.cells[cell].label, " |");
    for (const Column& column : experiment.columns) {
      const MeanAndDeviation value = MetricOf(results, cell, column.metric);
      if (value.count == 0) {
        absl::StrAppend(&table, " - |");
      } else {
        absl::StrAppendFormat(&table, " %.*f ± %.*f |", column.digits, value.mean * column.scale,
                              column.digits, value.deviation * column.scale);
      }
    }
    absl::StrAppend(&table, "\n");
  }
  ForEachRun(results, [&](size_t cell, uint64_t seed, const absl::StatusOr<CellResult>& run) {
    if (run.ok()) return;
    absl::StrAppend(&table, "\nFailed: ", experiment.cells[cell].label, ", seed ", seed, ": ",
                    std::string(run.status().message()), "\n");
  });
  return table;
}

std::string SvgOf(const ExperimentResults& results) {
  const Experiment& experiment = results.experiment;
  const PlotSpec& spec = experiment.plot;
  LinePlot plot;
  plot.title = absl::StrCat(experiment.id, ": ", spec.title);
  plot.x_label = spec.x_label;
  plot.y_label = spec.y_label;
  plot.log_x = spec.log_x;
  plot.log_y = spec.log_y;
  if (spec.kind == PlotSpec::Kind::kCourse) {
    for (size_t cell = 0; cell < experiment.cells.size(); ++cell) {
      plot.lines.push_back(CourseOf(results, cell));
    }
    return RenderSvg(plot);
  }
  std::map<std::string, size_t> lines;
  for (size_t index = 0; index < experiment.cells.size(); ++index) {
    const Cell& cell = experiment.cells[index];
    if (cell.series.empty()) continue;
    const auto [line, is_new] = lines.try_emplace(cell.series, plot.lines.size());
    if (is_new) plot.lines.push_back({cell.series, {}});
    const MeanAndDeviation value = MetricOf(results, index, spec.metric);
    plot.lines[line->second].points.push_back({cell.x, value.mean, value.deviation});
  }
  for (PlotLine& line : plot.lines) {
    std::stable_sort(line.points.begin(), line.points.end(),
                     [](const PlotPoint& a, const PlotPoint& b) { return a.x < b.x; });
  }
  return RenderSvg(plot);
}

}  // namespace starling
