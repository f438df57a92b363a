// What a demo found out, and how it is told: a table for people, an exit code for scripts.
// (json_output.h tells it to programs.) Pure.

#ifndef STARLING_PEER_CLI_DEMO_REPORT_H_
#define STARLING_PEER_CLI_DEMO_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "peer/cli/demo_options.h"
#include "peer/cli/demo_peer.h"
#include "peer/cli/demo_plan.h"
#include "proto/status.pb.h"

namespace starling {

struct DemoReport {
  DemoOptions options;
  DemoOutcome outcome = DemoOutcome::kFinished;
  // Why it ended early, in one line; empty if it did not.
  std::string reason;
  // The signal of kInterrupted.
  int signal = 0;
  // Exit code of the daemon that kept the demo from starting, or 0.
  int startup_exit_code = 0;
  absl::Duration wall_time;
  std::vector<DemoPeer> peers;
  // The coordinator's unasked end; empty if it lived.
  std::string coordinator_failure;
  std::optional<v1::EvaluateAverageResponse> averaged;
  // Why there is no `averaged`.
  std::string averaged_error;
  // The end of the log of a daemon that failed, and its name.
  std::string log_name;
  std::vector<std::string> log_lines;
};

// Over the workers (peers but for the centre) that were evaluated and not killed; nothing if there is
// none.
std::optional<double> MeanAccuracy(const DemoReport& report);
std::optional<double> LowestAccuracy(const DemoReport& report);

// Payload bytes that all peers sent, as last heard of each.
uint64_t TotalBytesSent(const DemoReport& report);
// Mean over the workers: of those bytes, and of the share of time spent waiting for rounds. 0 if none
// was heard of.
double BytesSentPerWorker(const DemoReport& report);
double WaitingShare(const DemoReport& report);

// "finished", "timed out", ...
std::string OutcomeWord(DemoOutcome outcome);

// What went wrong, a line each, worst first; empty if the demo ended well. A demo ends well if the
// training was done, no daemon ended unasked, the killed peer was reported, and the averaged model
// could be evaluated.
std::vector<std::string> Problems(const DemoReport& report);

// 0 ended well; 75 timed out; 128 + n stopped by signal n; the daemon's own documented code (or 69)
// if the demo could not start; otherwise 70.
int DemoExitCode(const DemoReport& report);

// The closing table and what it means, for people; one line if the demo did not start.
std::string RenderReport(const DemoReport& report);

// The averaged models of two runs side by side, for people.
std::string RenderComparison(const DemoReport& first, const DemoReport& second);

}  // namespace starling

#endif  // STARLING_PEER_CLI_DEMO_REPORT_H_
