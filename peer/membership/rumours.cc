#include "peer/membership/rumours.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace starling {

bool Rumours::Piece::operator<(const Piece& other) const {
  return std::tie(times, other.added) < std::tie(other.times, added);
}

void Rumours::Add(PeerId about) {
  Drop(about);
  of_[about] = pieces_.insert(Piece{0, ++added_, about}).first;
}

void Rumours::Drop(PeerId about) {
  const auto found = of_.find(about);
  if (found == of_.end()) return;
  pieces_.erase(found->second);
  of_.erase(found);
}

std::vector<PeerId> Rumours::Tell(PeerId listener, size_t limit, int retransmissions) {
  std::vector<Piece> told;
  for (auto it = pieces_.begin(); it != pieces_.end() && told.size() < limit; ++it) {
    if (it->about != listener) told.push_back(*it);
  }
  std::vector<PeerId> chosen;
  for (Piece& piece : told) {
    chosen.push_back(piece.about);
    Drop(piece.about);
    if (++piece.times < retransmissions) of_[piece.about] = pieces_.insert(piece).first;
  }
  return chosen;
}

int Rumours::Retransmissions(size_t members) {
  return std::max(8, 4 * static_cast<int>(std::ceil(std::log10(static_cast<double>(members) + 1))));
}

}  // namespace starling
