// What travels between the trainer and the rounds of its algorithm.

#ifndef STARLING_PEER_TRAINING_CONTRIBUTION_H_
#define STARLING_PEER_TRAINING_CONTRIBUTION_H_

#include <cstddef>
#include <cstdint>

#include "peer/runtime/shared_bytes.h"

namespace starling {

// The trainer has come to a round.
struct Contribution {
  size_t spec = 0;    // index of the RoundSpec
  uint64_t step = 0;  // steps made; the gradient of step s is contributed with s - 1 made
  uint64_t fragment = 0;
  SharedBytes values;
  double mass = 1;
  double loss = 0;
};

// The round has ended: what the trainer is to go on with.
struct MixedRound {
  size_t spec = 0;
  uint64_t number = 0;  // of the round, as all members count
  SharedBytes mixed;  // as long as the contribution
  double mass = 1;
};

}  // namespace starling

#endif  // STARLING_PEER_TRAINING_CONTRIBUTION_H_
