// Members in a circle, each talking to those beside it: least traffic, slowest agreement (the part
// that remains shrinks per round by a factor of about 1 - 13/n^2).

#ifndef STARLING_PEER_TOPOLOGY_RING_H_
#define STARLING_PEER_TOPOLOGY_RING_H_

#include <memory>

#include "peer/topology/topology.h"

namespace starling {

// Both neighbours in every round, with Metropolis weights 1/(1 + degree): 1/3 each, and 1/2 where
// two members have only each other. The graph of D-PSGD (Lian et al. 2017).
std::unique_ptr<const Topology> MakeRing();

// One neighbour a round: (0,1)(2,3)... in even rounds, (1,2)(3,4)...(n-1,0) in odd ones, weights
// 1/2 (Decent-DP, Wang et al. 2025). Published for even n. With an odd number the pairs of round k
// begin at member k mod n and the one before it is left over, so everybody idles equally often.
std::unique_ptr<const Topology> MakeOnePeerRing();

}  // namespace starling

#endif  // STARLING_PEER_TOPOLOGY_RING_H_
