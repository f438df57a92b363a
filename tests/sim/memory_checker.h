// Bounded memory: whatever others can make a peer keep stays within the limit that its options state
// (Peer::GetHoldings). Always applies.

#ifndef STARLING_TESTS_SIM_MEMORY_CHECKER_H_
#define STARLING_TESTS_SIM_MEMORY_CHECKER_H_

#include <memory>

#include "tests/sim/checker.h"

namespace starling {

std::unique_ptr<Checker> MakeMemoryChecker();

}  // namespace starling

#endif  // STARLING_TESTS_SIM_MEMORY_CHECKER_H_
