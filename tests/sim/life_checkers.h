// Checkers of what holds for every algorithm, whatever it does with parameters, and of what it does to
// parameters that already agree.

#ifndef STARLING_TESTS_SIM_LIFE_CHECKERS_H_
#define STARLING_TESTS_SIM_LIFE_CHECKERS_H_

#include <memory>

#include "absl/time/time.h"
#include "tests/sim/checker.h"
#include "tests/sim/simulation_options.h"

namespace starling {

// Every parameter of every peer is finite. Always applies.
std::unique_ptr<Checker> MakeFiniteChecker();

// No counter of a living process ever falls: every unsigned number in what its status says about
// training, gossip, averaging and rounds, but the last round's number. Always applies.
std::unique_ptr<Checker> MakeCounterChecker();

// Every exchange, and every averaging round, ends: after EndBound as many have ended as had been
// started before. Always applies, but not to peers that were paused meanwhile.
std::unique_ptr<Checker> MakeEndChecker();
// How long one may last: the most that gossip's patience or a round's deadline allows, and a few of
// the slowest steps.
absl::Duration EndBound(const SimulationOptions& options);

// Agreement is a fixed point: peers that started equal, with gradients off, stay as they were, to
// 1e-6 of the largest parameter. Applies if they start equal, gradients are off, and the algorithm
// does not declare otherwise.
std::unique_ptr<Checker> MakeAgreementChecker();
std::unique_ptr<Checker> MakeMassChecker();

// No peer refuses values as not finite or out of scale: nobody sends such on purpose. Always applies.
std::unique_ptr<Checker> MakeOffenceChecker();

}  // namespace starling

#endif  // STARLING_TESTS_SIM_LIFE_CHECKERS_H_
