// With whom a worker exchanges.

#ifndef STARLING_PEER_GOSSIP_PEER_SELECTOR_H_
#define STARLING_PEER_GOSSIP_PEER_SELECTOR_H_

#include <memory>
#include <vector>

#include "absl/types/optional.h"
#include "peer/runtime/ids.h"
#include "peer/runtime/random.h"

namespace starling {

// A pure function of the candidates and the random numbers drawn.
class PeerSelector {
 public:
  virtual ~PeerSelector() = default;
  // `candidates`: the others that are alive and training, ascending, never self. nullopt if none.
  virtual absl::optional<PeerId> Select(const std::vector<PeerId>& candidates,
                                        Random& random) const = 0;
};

// Every candidate with equal probability.
std::unique_ptr<PeerSelector> MakeUniformSelector();

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_PEER_SELECTOR_H_
