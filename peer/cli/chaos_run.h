// One swarm, one fault: starts, watches, hurts, watches, evaluates.

#ifndef STARLING_PEER_CLI_CHAOS_RUN_H_
#define STARLING_PEER_CLI_CHAOS_RUN_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "peer/cli/chaos_event.h"
#include "peer/cli/chaos_report.h"
#include "peer/cli/chaos_swarm.h"
#include "peer/cli/stop_signal.h"

namespace starling {

// From the first moment in which all peers train until the end of the watching.
absl::Duration ChaosRunLength(const ChaosEvent& event);

// UNAVAILABLE: the swarm did not start, or somebody ended unasked. CANCELLED: stopped by a signal.
absl::StatusOr<ChaosRun> RunChaosEvent(const ChaosSwarm::Options& options, const ChaosEvent& event,
                                       const StopSignal& stop);

// Trains undisturbed and evaluates the average of the models after each of `lengths`, which rise.
// Entry i belongs to lengths[i]. The same errors.
absl::StatusOr<std::vector<double>> RunUndisturbed(const ChaosSwarm::Options& options,
                                                   const std::vector<absl::Duration>& lengths,
                                                   const StopSignal& stop);

}  // namespace starling

#endif  // STARLING_PEER_CLI_CHAOS_RUN_H_
