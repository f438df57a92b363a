// The results of an experiment as text: CSV, a Markdown table, an SVG plot. Nothing here depends on how
// long anything took, so equal results give equal text.

#ifndef STARLING_TESTS_REPRODUCTION_REPORT_H_
#define STARLING_TESTS_REPRODUCTION_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/reproduction/cell_run.h"
#include "tests/reproduction/experiment.h"
#include "tests/reproduction/statistics.h"

namespace starling {

struct ExperimentResults {
  Experiment experiment;
  std::vector<uint64_t> seeds;
  // By cell, then by seed.
  std::vector<std::vector<absl::StatusOr<CellResult>>> runs;
};

// Over the seeds that ended well. `cell` is an index.
MeanAndDeviation MetricOf(const ExperimentResults& results, size_t cell, const std::string& metric);

// experiment,cell,algorithm,workers,seed,metric,value; a run that failed has the metric "failed" and
// the value 1.
std::string MetricsCsv(const ExperimentResults& results);

// experiment,cell,seed,steps,seconds,train_loss,average_loss,average_accuracy,consensus
std::string CurvesCsv(const ExperimentResults& results);

// A row for each cell, "mean ± deviation" in each column; then a line for each run that failed.
std::string MarkdownTable(const ExperimentResults& results);

std::string SvgOf(const ExperimentResults& results);

}  // namespace starling

#endif  // STARLING_TESTS_REPRODUCTION_REPORT_H_
