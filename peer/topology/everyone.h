// Everybody with everybody, equal weights: the exact mean in every round.

#ifndef STARLING_PEER_TOPOLOGY_EVERYONE_H_
#define STARLING_PEER_TOPOLOGY_EVERYONE_H_

#include <memory>

#include "peer/topology/topology.h"

namespace starling {

// To be done by a reduction (`everyone()`): All-reduce, Local SGD, global rounds.
std::unique_ptr<const Topology> MakeEveryone();

// The same matrix done neighbour by neighbour, n - 1 models sent per member: for a few members, and
// as the yardstick for the others.
std::unique_ptr<const Topology> MakeComplete();

}  // namespace starling

#endif  // STARLING_PEER_TOPOLOGY_EVERYONE_H_
