// A long life of one swarm: minutes with every fault there is (nemesis.h), then all is repaired and the good must
// happen again (HealAndJudge), and so on for hours. The checkers look on all the while, and at the end deltas
// that were lost in the first part of the life must have been counted.

#ifndef STARLING_TESTS_SIM_SOAK_H_
#define STARLING_TESTS_SIM_SOAK_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/sim/simulation.h"
#include "tests/sim/soak_options.h"

namespace starling {

// What a life contained.
struct SoakFigures {
  uint64_t events = 0;
  uint64_t steps = 0;
  uint64_t committed = 0;  // exchanges
  uint64_t given_up = 0;
  uint64_t rounds = 0;
  uint64_t superseded = 0;
  absl::Duration hard;   // with faults
  absl::Duration lived;  // by all processes together
  std::map<std::string, uint64_t> done;  // faults

  uint64_t faults() const;
  SoakFigures& operator+=(const SoakFigures& more);
};

// At least `life` of it, and until all is well. What was wrong, the complaints of all checkers included;
// empty if all was well.
std::vector<std::string> RunSoak(Simulation& simulation, const SoakPlan& plan, absl::Duration life,
                                 SoakFigures* figures);

}  // namespace starling

#endif  // STARLING_TESTS_SIM_SOAK_H_
