// Several algorithms side by side: the reports of their runs as one table and one exit code. Pure.

#ifndef STARLING_PEER_CLI_DEMO_COMPARISON_H_
#define STARLING_PEER_CLI_DEMO_COMPARISON_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "peer/cli/demo_options.h"
#include "peer/cli/demo_report.h"

namespace starling {

// A run that could not even be asked for, as a report.
DemoReport RefusedRun(DemoOptions options, const absl::Status& why);

// Percentage points by which the averaged model of `report` is below that of allreduce_sgd among
// `all`; negative if it is above, nothing if one of the two is missing.
std::optional<double> PointsBelowAllreduce(const DemoReport& report,
                                           const std::vector<DemoReport>& all);

// "0.8712 averaged, lowest 0.8698, 9.1 s", or what went wrong: one line about a run that is over.
std::string ComparedLine(const DemoReport& report);

// A row for each report, in their order, then the problems.
std::string RenderComparedRuns(const std::vector<DemoReport>& reports);

// 0 if every run ended well, 128 + n if one was stopped by signal n, else 1.
int ComparedExitCode(const std::vector<DemoReport>& reports);

}  // namespace starling

#endif  // STARLING_PEER_CLI_DEMO_COMPARISON_H_
