#include "peer/rounds/positions.h"

#include <algorithm>

#include "absl/types/optional.h"

namespace starling {

void Positions::OnHeard(absl::Time now, PeerId peer, uint64_t number, absl::Duration valid) {
  const auto [position, added] = positions_.try_emplace(peer, Position{number, now});
  if (added) return;
  if (number < position->second.number && now - position->second.heard <= valid) return;
  position->second = {number, now};
}

uint64_t Positions::Choose(absl::Time now, uint64_t next, bool behind, absl::Duration valid) const {
  absl::optional<uint64_t> near;
  absl::optional<uint64_t> far;
  for (const auto& [peer, position] : positions_) {
    if (now - position.heard > valid || position.number < next) continue;
    absl::optional<uint64_t>& least = position.number - next >= kFarBehind ? far : near;
    least = std::min(position.number, least.value_or(position.number));
  }
  if (far) return *far;
  return behind ? near.value_or(next) : next;
}

}  // namespace starling
