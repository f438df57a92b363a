// One life of a swarm in two phases: first everything goes wrong, and nothing bad may happen; then
// everything is repaired, and the good must happen again.
//
//   safety    RunChaos on whatever network the simulation has. The checkers look on.
//   healing   the network loses nothing, links are as good as others, sleepers wake, the dead start
//             again. After MembershipBound the views must agree, and from then on, within
//             `good_within`: every trainer makes a step, and in every swarm that communicates
//             parameters travel and something is committed or averaged. With gradients off, the distance
//             between peers is halved by then, if they have taken part in so many exchanges and rounds each as the
//             algorithm declares, on average, times as often as the slowest peer is slower.

#ifndef STARLING_TESTS_SIM_SAFETY_THEN_HEALING_H_
#define STARLING_TESTS_SIM_SAFETY_THEN_HEALING_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/sim/simulation.h"

namespace starling {

struct SafetyThenHealingOptions {
  absl::Duration safety = absl::Seconds(20);
  // Mean time between two things that happen.
  absl::Duration chaos_interval = absl::Seconds(1);
  // How long it may take, after views agree, until everything works.
  absl::Duration good_within = absl::Seconds(20);
};

// What was wrong, the complaints of all checkers included; empty if all is well. Draws from the
// simulation's seed.
std::vector<std::string> RunSafetyThenHealing(Simulation& simulation,
                                              const SafetyThenHealingOptions& options);

// The second phase alone; `safety` and `chaos_interval` are not read. Adds what was wrong to `wrong`, but not
// what checkers complain of.
void HealAndJudge(Simulation& simulation, const SafetyThenHealingOptions& options,
                  std::vector<std::string>* wrong);

}  // namespace starling

#endif  // STARLING_TESTS_SIM_SAFETY_THEN_HEALING_H_
