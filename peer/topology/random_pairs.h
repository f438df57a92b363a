// Partners by lot, with as many sent as received by everybody. All members draw the same lots from
// the seed they share; another round or another segment is another lot. O(n) time and space a call.

#ifndef STARLING_PEER_TOPOLOGY_RANDOM_PAIRS_H_
#define STARLING_PEER_TOPOLOGY_RANDOM_PAIRS_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "peer/runtime/random.h"
#include "peer/topology/topology.h"

namespace starling {

// A random perfect matching: everybody is paired with one other, each matching equally likely,
// weights 1/2. With an odd number one member, equally often each, mixes with nobody.
std::unique_ptr<const Topology> MakeRandomMatching();

// Round and segment have a derangement sigma, a permutation that leaves nobody in place: r receives
// from sigma(r), sends to the one whose sigma it is, and takes half of each. All derangements are
// equally likely.
std::unique_ptr<const Topology> MakeRandomDerangement();

// The same with the sampler of the authors of Crossover-SGD (Yeo et al. 2020), for comparison: its
// derangements are valid but some are twice as likely as others.
std::unique_ptr<const Topology> MakeCrossoverDerangement();

// The two samplers: sigma(0), ..., sigma(members - 1). Empty for 1 member, for which there is none.

// By rejection: permutations until one is a derangement, which takes e = 2.7 of them on average.
std::vector<size_t> UniformDerangement(size_t members, Random& random);

// For r = 0, 1, ...: one of those not yet taken and not r, equally likely each; but r = N - 2 takes
// N - 1 if it is still there, since else the last one might be left with itself. One pass.
std::vector<size_t> CrossoverDerangement(size_t members, Random& random);

}  // namespace starling

#endif  // STARLING_PEER_TOPOLOGY_RANDOM_PAIRS_H_
