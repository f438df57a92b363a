#include "peer/gossip/peer_selector.h"
#include "peer/gossip/workers.h"

namespace starling {
namespace {

class CentreSelector : public PeerSelector {
 public:
  absl::optional<Choice> Select(const Selection& selection, Random& random) const override {
    if (selection.self.centre) return absl::nullopt;
    for (const Candidate& other : selection.others) {
      if (other.centre) return Choice{other.id};
    }
    return UniformChoice(selection, random);
  }
};

}  // namespace

std::unique_ptr<PeerSelector> MakeCentreSelector() { return std::make_unique<CentreSelector>(); }

}  // namespace starling
