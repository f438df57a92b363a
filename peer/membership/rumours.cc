#include "peer/membership/rumours.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace starling {

void Rumours::Add(PeerId about) { told_[about] = Told{0, ++added_}; }

std::vector<PeerId> Rumours::Tell(PeerId listener, size_t limit, int retransmissions) {
  std::vector<PeerId> chosen;
  for (const auto& [about, told] : told_) {
    if (about != listener) chosen.push_back(about);
  }
  // Least told first; of those told equally often the newest.
  std::sort(chosen.begin(), chosen.end(), [this](PeerId a, PeerId b) {
    const Told& x = told_.at(a);
    const Told& y = told_.at(b);
    return std::tie(x.times, y.added) < std::tie(y.times, x.added);
  });
  if (chosen.size() > limit) chosen.resize(limit);
  for (const PeerId about : chosen) {
    const auto found = told_.find(about);
    if (++found->second.times >= retransmissions) told_.erase(found);
  }
  return chosen;
}

bool Rumours::fresh() const {
  return std::any_of(told_.begin(), told_.end(),
                     [](const auto& entry) { return entry.second.times == 0; });
}

int Rumours::Retransmissions(size_t members) {
  return std::max(8, 4 * static_cast<int>(std::ceil(std::log10(static_cast<double>(members) + 1))));
}

}  // namespace starling
