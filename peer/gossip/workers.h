// Who trains, out of a selection. For the selectors in this room.

#ifndef STARLING_PEER_GOSSIP_WORKERS_H_
#define STARLING_PEER_GOSSIP_WORKERS_H_

#include <vector>

#include "peer/gossip/peer_selector.h"
#include "peer/runtime/random.h"

namespace starling {

// All but the centres, ascending by id. With self, if it trains, or without.
std::vector<Candidate> OtherWorkers(const Selection& selection);
std::vector<Candidate> WorkersWithSelf(const Selection& selection);

// One of the other workers, each with equal probability. Draws one number; none if there are none.
absl::optional<Choice> UniformChoice(const Selection& selection, Random& random);

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_WORKERS_H_
