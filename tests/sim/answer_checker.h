// Nobody who answers stays dead: two peers that can talk to each other, whatever else is wrong with the
// world, do not go on thinking that one of them is dead or has left.
//
// Judged for each pair that has lived, awake and with a reliable network between them in both
// directions, for AnswerBound, and only of what is believed all that while: a peer that others cannot reach may be
// accused again and again, and contradicts again and again. One of the two must know where the other is: who has
// moved, as the clone of a peer does, is not found at its old address. Of who left, only if it did not: whoever comes back
// is found by whom it calls.

#ifndef STARLING_TESTS_SIM_ANSWER_CHECKER_H_
#define STARLING_TESTS_SIM_ANSWER_CHECKER_H_

#include <memory>

#include "absl/time/time.h"
#include "tests/sim/checker.h"
#include "tests/sim/simulation_options.h"

namespace starling {

std::unique_ptr<Checker> MakeAnswerChecker();

// The dead are called every heal_interval, after long absences more rarely: after 5 % of the time for which the two
// could not talk. The call, its answer and a look of our own take a few intervals, of worse local health
// longer ones.
absl::Duration AnswerBound(const SimulationOptions& options, absl::Duration apart);

}  // namespace starling

#endif  // STARLING_TESTS_SIM_ANSWER_CHECKER_H_
