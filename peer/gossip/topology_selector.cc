#include <cstddef>
#include <utility>

#include "peer/gossip/peer_selector.h"
#include "peer/gossip/workers.h"
#include "peer/runtime/check.h"

namespace starling {
namespace {

class TopologySelector : public PeerSelector {
 public:
  TopologySelector(std::shared_ptr<const Topology> topology, uint64_t seed)
      : topology_(std::move(topology)), seed_(seed) {}

  absl::optional<Choice> Select(const Selection& selection, Random& random) const override {
    if (selection.self.centre) return absl::nullopt;
    const std::vector<Candidate> workers = WorkersWithSelf(selection);
    size_t rank = 0;
    while (workers[rank].id != selection.self.id) ++rank;
    const std::vector<size_t> out = topology_
                                        ->Of({.members = workers.size(),
                                              .self = rank,
                                              .round = selection.round,
                                              .seed = seed_})
                                        .out;
    if (out.empty()) return absl::nullopt;
    return Choice{workers[out.size() == 1 ? out[0] : out[random.UniformInt(out.size())]].id};
  }

 private:
  const std::shared_ptr<const Topology> topology_;
  const uint64_t seed_;
};

}  // namespace

std::unique_ptr<PeerSelector> MakeTopologySelector(std::shared_ptr<const Topology> topology,
                                                   uint64_t seed) {
  STARLING_CHECK(topology != nullptr);
  return std::make_unique<TopologySelector>(std::move(topology), seed);
}

}  // namespace starling
