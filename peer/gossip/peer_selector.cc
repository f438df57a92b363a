#include "peer/gossip/peer_selector.h"

namespace starling {
namespace {

class UniformSelector : public PeerSelector {
 public:
  absl::optional<PeerId> Select(const std::vector<PeerId>& candidates,
                                Random& random) const override {
    if (candidates.empty()) return absl::nullopt;
    return candidates[random.UniformInt(candidates.size())];
  }
};

}  // namespace

std::unique_ptr<PeerSelector> MakeUniformSelector() { return std::make_unique<UniformSelector>(); }

}  // namespace starling
