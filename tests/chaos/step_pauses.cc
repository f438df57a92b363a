#include "tests/chaos/step_pauses.h"

#include <algorithm>

namespace starling {

void StepPauses::Observe(const ChaosSample& sample) {
  for (int peer = 0; peer < static_cast<int>(sample.peers.size()); ++peer) {
    const ChaosPeerSample& seen = sample.peers[peer];
    const auto found = watches_.find(peer);
    if (found == watches_.end()) {
      if (!seen.answered || !seen.training) continue;
      watches_[peer] = {.since = sample.at, .first_step = seen.step, .moved_at = sample.at,
                        .step = seen.step};
      continue;
    }
    Watch& watch = found->second;
    if (watch.over) continue;
    const bool moved = seen.answered && seen.step != watch.step;
    const double steps_between =
        moved && seen.step > watch.step ? static_cast<double>(seen.step - watch.step) - 1 : 0;
    watch.longest = std::max(watch.longest, sample.at - watch.moved_at -
                                                steps_between * least_step_time_);
    if (moved) {
      watch.step = seen.step;
      watch.moved_at = sample.at;
    }
  }
}

void StepPauses::Forget(int peer, double at) {
  const auto found = watches_.find(peer);
  if (found == watches_.end() || found->second.over) return;
  found->second.longest = std::max(found->second.longest, at - found->second.moved_at);
  found->second.over = true;
}

double StepPauses::longest(int peer) const {
  const auto found = watches_.find(peer);
  return found == watches_.end() ? 0 : found->second.longest;
}

double StepPauses::longest() const {
  double longest = 0;
  for (const auto& [peer, watch] : watches_) longest = std::max(longest, watch.longest);
  return longest;
}

double StepPauses::step_time(int peer) const {
  const auto found = watches_.find(peer);
  if (found == watches_.end() || found->second.step == found->second.first_step) return 0;
  const Watch& watch = found->second;
  return (watch.moved_at - watch.since) / static_cast<double>(watch.step - watch.first_step);
}

}  // namespace starling
