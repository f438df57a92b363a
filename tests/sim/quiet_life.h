// One life of a swarm in which nothing goes wrong: clean network, nobody comes or goes, gradients are off,
// and everybody makes SimulationOptions::steps steps. Afterwards, when nothing is under way any more, the
// guarantees that hold exactly can be held against the sums:
//
//   sum            of rounds that conserve it, over all peers, is what it was at the start;
//   mass           the push-sum weights sum up to the number of peers, and weight times values, of rounds,
//                  to what they were;
//   contraction    the distance between peers is halved if they mixed often enough;
//   end            everybody has made all steps in time, and no round that somebody waits for lacked anybody.

#ifndef STARLING_TESTS_SIM_QUIET_LIFE_H_
#define STARLING_TESTS_SIM_QUIET_LIFE_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/sim/simulation.h"

namespace starling {

struct QuietLifeOptions {
  // What is under way when the last peer finishes must have ended after this.
  absl::Duration settle = absl::Seconds(3);
  // The distance is judged after so many exchanges and rounds of each, more if the algorithm declares more.
  // An exchange counts on both sides: a worker tied to a centre by alpha = 0.1 has begun 8 of 16, which
  // leaves 0.9^8 = 0.43 of its distance; of 12 it may have begun 6, which leave 0.53.
  double mixes = 16;
};

// What was wrong, the complaints of all checkers included; empty if all is well. The simulation was just
// created, with steps > 0, learn = false and a clean network.
std::vector<std::string> RunQuietLife(Simulation& simulation, const QuietLifeOptions& options);

}  // namespace starling

#endif  // STARLING_TESTS_SIM_QUIET_LIFE_H_
