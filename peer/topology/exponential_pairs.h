// Pairs at exponentially growing distances: both members of a pair take their mean, so a round is
// symmetric, and nobody talks to more than one other.

#ifndef STARLING_PEER_TOPOLOGY_EXPONENTIAL_PAIRS_H_
#define STARLING_PEER_TOPOLOGY_EXPONENTIAL_PAIRS_H_

#include <memory>

#include "peer/topology/topology.h"

namespace starling {

// Round k: i with i XOR 2^(k mod L), L = ceil(log2 n). Whoever's partner would be n or more mixes
// with nobody. Exact after L rounds for n = 2^r, which is also all that Supports() (GossipGraD,
// Daily et al. 2018); rotate it (rotated.h) for other n.
std::unique_ptr<const Topology> MakeHypercube();

// Decent-DP's one-peer exponential graph (Wang et al. 2025): in round k each member j that is still
// free, in ascending order, takes (j + 2^(k mod L)) mod n if that one is free too. For n = 2^r, all
// that Supports(), this is the hypercube to the last pair; for other n it wraps round and leaves
// fewer members over, at times.
std::unique_ptr<const Topology> MakeMatchingExponential();

// SGP's bipartite graph for AD-PSGD (Lian et al. 2018): odd members are active and meet the even,
// passive ones at the distances +1, -1, then +-(1 + 2^e) for e = 1 to floor(log2(n - 1)), one per
// round, weights 1/2. With an odd n the circle does not close and an active member whose partner
// would be active too mixes with nobody. No conflicts are possible if only active members ask.
std::unique_ptr<const Topology> MakeBipartiteExponential();

}  // namespace starling

#endif  // STARLING_PEER_TOPOLOGY_EXPONENTIAL_PAIRS_H_
