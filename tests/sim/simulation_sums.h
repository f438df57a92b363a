// What peers count, added up.

#ifndef STARLING_TESTS_SIM_SIMULATION_SUMS_H_
#define STARLING_TESTS_SIM_SIMULATION_SUMS_H_

#include "proto/status.pb.h"

namespace starling {

// Counters alone; distances, durations and the like are not sums.
void AddTo(v1::GossipStatus& total, const v1::GossipStatus& more);

}  // namespace starling

#endif  // STARLING_TESTS_SIM_SIMULATION_SUMS_H_
