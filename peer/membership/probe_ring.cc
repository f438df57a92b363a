#include "peer/membership/probe_ring.h"

#include <algorithm>

namespace starling {

void ProbeRing::Insert(PeerId id) {
  const size_t place = random_.UniformInt(order_.size() + 1);
  order_.insert(order_.begin() + place, id);
  if (place < next_) ++next_;
}

void ProbeRing::Remove(PeerId id) {
  const auto found = std::find(order_.begin(), order_.end(), id);
  if (found == order_.end()) return;
  if (static_cast<size_t>(found - order_.begin()) < next_) --next_;
  order_.erase(found);
}

PeerId ProbeRing::Next(absl::FunctionRef<bool(PeerId)> eligible) {
  for (size_t looked_at = 0; looked_at < 2 * order_.size(); ++looked_at) {
    if (next_ >= order_.size()) {
      random_.Shuffle(order_);
      next_ = 0;
    }
    const PeerId id = order_[next_++];
    if (eligible(id)) return id;
  }
  return PeerId();
}

}  // namespace starling
