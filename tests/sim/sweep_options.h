// What one seed of a sweep makes of a swarm: a few seconds of a life that is hard in its own way.

#ifndef STARLING_TESTS_SIM_SWEEP_OPTIONS_H_
#define STARLING_TESTS_SIM_SWEEP_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/sim/safety_then_healing.h"
#include "tests/sim/simulation.h"

namespace starling {

// A direction between two nodes that is worse than the others, until all is healed.
struct SweepLink {
  int from;
  int to;
  SimLink link;
};

struct SweepPlan {
  SimulationOptions options;
  std::vector<SweepLink> links;
  // A life in which nothing goes wrong (quiet_life.h); else a hard one and a recovery.
  bool quiet = false;
  SafetyThenHealingOptions life;
  // All of it in one line, for people.
  std::string drawn;
};

// A function of its arguments. A number of peers that the algorithm refuses is replaced by the next
// that it accepts.
// INVALID_ARGUMENT: the algorithm is refused with every number of peers from 4 to 8.
absl::StatusOr<SweepPlan> DrawSweepPlan(const std::string& algorithm, uint64_t seed);

}  // namespace starling

#endif  // STARLING_TESTS_SIM_SWEEP_OPTIONS_H_
