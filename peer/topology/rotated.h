// Another topology with everybody's seats drawn anew from time to time.

#ifndef STARLING_PEER_TOPOLOGY_ROTATED_H_
#define STARLING_PEER_TOPOLOGY_ROTATED_H_

#include <cstdint>
#include <memory>

#include "peer/topology/topology.h"

namespace starling {

// GossipGraD's partner rotation (Daily et al. 2018): `base` applied to ranks in a permutation of
// the members, the next permutation after every `rounds_per_topology` rounds; 0: after ceil(log2
// n), the cycle of hypercube and dissemination. Permutation 0 is the identity, all later ones are
// drawn by lot for each segment. GossipGraD prepares n of them and cycles through these; here none
// ever returns.
//
// Up (more rounds): more rounds of the old neighbours in a row. Down: new neighbours sooner, but
// below the number of rounds in which `base` is exact nothing is exact any more. Exact after 2E - 1
// rounds whichever the first, and after E from the beginning of a permutation.
//
// Supports() every number: whom `base` leaves over changes with the permutation, so the mean is
// approached also where it is not hit. O(n) a call. Called "rotated_" and the name of `base`.
std::unique_ptr<const Topology> MakeRotated(std::unique_ptr<const Topology> base,
                                            uint64_t rounds_per_topology);

}  // namespace starling

#endif  // STARLING_PEER_TOPOLOGY_ROTATED_H_
