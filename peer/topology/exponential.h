// Directed graphs whose distances grow exponentially from round to round: everybody sends ahead and
// receives from behind by the same distances, so nobody has to agree with a partner on a pair, and
// after the logarithm of n rounds everybody has something of everybody.

#ifndef STARLING_PEER_TOPOLOGY_EXPONENTIAL_H_
#define STARLING_PEER_TOPOLOGY_EXPONENTIAL_H_

#include <cstdint>
#include <memory>

#include "peer/topology/topology.h"

namespace starling {

// Round k: send to i + 2^(k mod L), receive from i - 2^(k mod L), modulo n; L = ceil(log2 n),
// weight 1/2. The directed graph of SGP (Assran et al. 2019). Exact after L rounds for n = 2^r
// (Ying et al. 2021); for other n nearly, to 0.04-0.17 of the spread for n <= 12.
std::unique_ptr<const Topology> MakeOnePeerExponential();

// `peers` of them a round: round k has the distances j * (peers + 1)^(k mod L) for j = 1..peers,
// with L the least number for which (peers + 1)^L >= n, and weights 1/(peers + 1). Distances beyond
// n go round once more; what then is self, or somebody met already, is left out, and the weights
// are those of the degree that remains. Exact after r rounds for n = (peers + 1)^r. peers >= 1; 1
// is the graph above.
std::unique_ptr<const Topology> MakeMultiPeerExponential(uint64_t peers);

// Round k: receive from i + 2^(k mod L), send to i - 2^(k mod L): the one-peer graph turned round,
// as "dissemination" in GossipGraD (Daily et al. 2018).
std::unique_ptr<const Topology> MakeDissemination();

}  // namespace starling

#endif  // STARLING_PEER_TOPOLOGY_EXPONENTIAL_H_
