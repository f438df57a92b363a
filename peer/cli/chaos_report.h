// What `starling chaos` found out, over all runs, and how it is told. Pure.

#ifndef STARLING_PEER_CLI_CHAOS_REPORT_H_
#define STARLING_PEER_CLI_CHAOS_REPORT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "peer/cli/chaos_event.h"
#include "peer/cli/chaos_timeline.h"

namespace starling {

// One fault in one swarm.
struct ChaosRun {
  ChaosFigures figures;
  // At the end, of the average of all models, and how far the models are from it.
  double accuracy = 0;
  double consensus_distance = 0;
};

struct ChaosRow {
  ChaosEvent event;
  // Why it was not run; empty if it was.
  std::string skipped;
  std::vector<ChaosRun> runs;
  // Accuracy of the average in undisturbed swarms after as long a time.
  std::vector<double> undisturbed;
  // Runs that came to nothing, with the reason.
  std::vector<std::string> problems;
};

struct ChaosReport {
  int peers = 0;
  std::string preset;
  uint64_t seed = 1;
  double steps_per_second = 0;
  std::vector<ChaosRow> rows;
  // 0, or the signal that ended it early.
  int signal = 0;
};

// The median of all runs, "it did not happen" being longer than any time. Nothing: there are no
// runs, or in the median one it did not happen.
std::optional<double> MedianTime(
    const std::vector<ChaosRun>& runs,
    const std::function<std::optional<double>(const ChaosRun&)>& figure);
// The same for a plain list; the mean of the two in the middle if their number is even.
std::optional<double> Median(std::vector<double> values);

// 0; 128 + n stopped by signal n; 70 if a run came to nothing.
int ChaosExitCode(const ChaosReport& report);

// The scoreboard and what its columns mean, for people.
std::string RenderChaos(const ChaosReport& report);

// One JSON document; peer/cli/README.md lists the fields.
std::string ChaosJson(const ChaosReport& report, int exit_code);

}  // namespace starling

#endif  // STARLING_PEER_CLI_CHAOS_REPORT_H_
