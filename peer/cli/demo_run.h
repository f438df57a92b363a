// One demo from the first process to the last: a DemoSwarm driven by a DemoPlan, shown on a screen.

#ifndef STARLING_PEER_CLI_DEMO_RUN_H_
#define STARLING_PEER_CLI_DEMO_RUN_H_

#include "absl/time/time.h"
#include "peer/cli/demo_report.h"
#include "peer/cli/demo_swarm.h"
#include "peer/cli/live_screen.h"
#include "peer/cli/stop_signal.h"

namespace starling {

// Runs until it is over, at `deadline`, or at a signal; every process has ended when it returns.
// Blocks; call it from the main thread.
DemoReport RunDemo(const DemoSwarm::Options& options, absl::Time deadline, const StopSignal& stop,
                   LiveScreen& screen);

}  // namespace starling

#endif  // STARLING_PEER_CLI_DEMO_RUN_H_
