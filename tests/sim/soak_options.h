// What one seed of a soak makes of a swarm: hours of a life like those of real swarms, with steps of
// seconds and the presets that daemons run with, or knobs turned at random.

#ifndef STARLING_TESTS_SIM_SOAK_OPTIONS_H_
#define STARLING_TESTS_SIM_SOAK_OPTIONS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/sim/nemesis.h"
#include "tests/sim/safety_then_healing.h"
#include "tests/sim/simulation_options.h"

namespace starling {

struct SoakPlan {
  SimulationOptions options;
  NemesisOptions nemesis;
  // Faults come for a time between these two; then all is repaired and judged, and so on.
  absl::Duration shortest_trouble = absl::Minutes(3);
  absl::Duration longest_trouble = absl::Minutes(12);
  SafetyThenHealingOptions healing;
  std::string drawn;  // in one line, for people
};

// A function of its arguments. Codes as DrawSweepPlan, with 3 to 6 peers.
absl::StatusOr<SoakPlan> DrawSoakPlan(const std::string& algorithm, uint64_t seed);

}  // namespace starling

#endif  // STARLING_TESTS_SIM_SOAK_OPTIONS_H_
