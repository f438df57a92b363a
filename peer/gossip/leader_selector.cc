#include <cmath>
#include <cstddef>

#include "peer/gossip/peer_selector.h"
#include "peer/gossip/workers.h"
#include "peer/runtime/check.h"

namespace starling {
namespace {

constexpr uint32_t kGlobalTether = 0;
constexpr uint32_t kGroupTether = 1;

bool HasLoss(const Candidate& worker) { return worker.loss != 0 && std::isfinite(worker.loss); }

class LeaderSelector : public PeerSelector {
 public:
  LeaderSelector(uint32_t groups, uint64_t global_every)
      : groups_(groups), global_every_(global_every) {}

  absl::optional<Choice> Select(const Selection& selection, Random&) const override {
    if (selection.self.centre) return absl::nullopt;
    const std::vector<Candidate> workers = WorkersWithSelf(selection);
    size_t rank = 0;
    while (workers[rank].id != selection.self.id) ++rank;
    const bool global = groups_ == 1 || (selection.round + 1) % global_every_ == 0;
    // Every stride-th worker, the first of them `first`, is in the running.
    const size_t stride = global ? 1 : groups_;
    const size_t first = rank % stride;
    const Candidate* leader = nullptr;
    for (size_t i = first; i < workers.size(); i += stride) {
      if (HasLoss(workers[i]) && (leader == nullptr || workers[i].loss < leader->loss)) {
        leader = &workers[i];
      }
    }
    if (leader == nullptr || leader->id == selection.self.id) return absl::nullopt;
    return Choice{leader->id, global ? kGlobalTether : kGroupTether};
  }

 private:
  const uint32_t groups_;
  const uint64_t global_every_;
};

}  // namespace

std::unique_ptr<PeerSelector> MakeLeaderSelector(uint32_t groups, uint64_t global_every) {
  STARLING_CHECK(groups >= 1 && global_every >= 1);
  return std::make_unique<LeaderSelector>(groups, global_every);
}

}  // namespace starling
