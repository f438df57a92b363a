#include "peer/gossip/peer_selector.h"
#include "peer/gossip/workers.h"

namespace starling {
namespace {

class UniformSelector : public PeerSelector {
 public:
  absl::optional<Choice> Select(const Selection& selection, Random& random) const override {
    return UniformChoice(selection, random);
  }
};

}  // namespace

std::unique_ptr<PeerSelector> MakeUniformSelector() { return std::make_unique<UniformSelector>(); }

}  // namespace starling
