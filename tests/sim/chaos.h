// Makes a swarm's life hard at random: peers die, come back, come, go and stand still, the network
// splits, the coordinator dies or sleeps.

#ifndef STARLING_TESTS_SIM_CHAOS_H_
#define STARLING_TESTS_SIM_CHAOS_H_

#include "absl/time/time.h"
#include "peer/runtime/random.h"
#include "tests/sim/simulation.h"

namespace starling {

// Runs for `duration`, with one event on average every `mean_interval`. At least two peers are left
// alive and awake at any time. At the end the sleepers are woken, the network is healed and a
// coordinator, if there was one, runs again; the dead stay dead.
void RunChaos(Simulation& simulation, absl::Duration duration, absl::Duration mean_interval,
              Random random);

}  // namespace starling

#endif  // STARLING_TESTS_SIM_CHAOS_H_
