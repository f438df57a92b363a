// The checkers of everything but conservation, which has a file of its own.

#ifndef STARLING_TESTS_SIM_CHECKERS_H_
#define STARLING_TESTS_SIM_CHECKERS_H_

#include <map>
#include <memory>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "tests/sim/checker.h"
#include "tests/sim/simulation_options.h"

namespace starling {

// No queue above its bound: mailboxes, tasks that wait for a busy trainer or an evaluation, frames on
// a path. Always applies; a paused process's backlog is judged by its senders' paths alone.
std::unique_ptr<Checker> MakeQueueChecker();

// No living, running trainer stands still for longer than three of its longest steps, whatever
// happens to others. Always applies.
std::unique_ptr<Checker> MakeProgressChecker();

// Once the world has been calm for MembershipBound, every living peer knows exactly the living ones,
// with their present incarnations. Suspicion is judged where calls are always in time.
std::unique_ptr<Checker> MakeMembershipChecker();
// A failed call is noticed by suspect_after, a silent member is dead after dead_after, a dead one is
// called again within heal_interval, and a newcomer needs a round or two to be known everywhere; the
// coordinator, if there is one, needs its lease.
absl::Duration MembershipBound(const SimulationOptions& options);

// With gradients off, elastic and pull gossip, and no narrow lines: the distance between peers falls
// while the world is calm, after MembershipBound, at least a quarter as fast as the theory of random pairwise averaging has it,
// until float rounding is all that is left.
std::unique_ptr<Checker> MakeConsensusChecker();

}  // namespace starling

#endif  // STARLING_TESTS_SIM_CHECKERS_H_
