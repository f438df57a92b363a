// What `simulate` tells people about one simulation.

#ifndef STARLING_TESTS_SIM_SIMULATE_REPORT_H_
#define STARLING_TESTS_SIM_SIMULATE_REPORT_H_

#include "absl/time/time.h"
#include "tests/sim/simulation.h"

namespace starling {

// To standard output. `took`: the time it took on the wall.
void PrintReport(Simulation& simulation, absl::Duration took);

}  // namespace starling

#endif  // STARLING_TESTS_SIM_SIMULATE_REPORT_H_
