// Half of every step of another topology: (I + W) / 2.

#ifndef STARLING_PEER_TOPOLOGY_LAZY_H_
#define STARLING_PEER_TOPOLOGY_LAZY_H_

#include <memory>

#include "peer/topology/topology.h"

namespace starling {

// A static symmetric W may have eigenvalues near -1, with which values swing from side to side
// without settling; those of (I + W)/2 lie in [0, 1]. D^2 and its like ask for that. Same
// neighbours as `base`, half the weights, never exact; called "lazy_" and the name of `base`.
std::unique_ptr<const Topology> MakeLazy(std::unique_ptr<const Topology> base);

}  // namespace starling

#endif  // STARLING_PEER_TOPOLOGY_LAZY_H_
