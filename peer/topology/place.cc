#include "peer/topology/place.h"

#include <algorithm>
#include <numeric>

#include "peer/runtime/check.h"

namespace starling {

void CheckPlace(const RoundPlace& place) { STARLING_CHECK(place.self < place.members); }

Neighbours PairedWith(size_t partner) { return HalfFrom(partner, partner); }

Neighbours HalfFrom(size_t from, size_t to) { return {{{from, 0.5}}, {to}}; }

Neighbours MeanOf(absl::Span<const size_t> group, size_t self) {
  Neighbours neighbours;
  const double weight = 1.0 / static_cast<double>(group.size());
  for (const size_t member : group) {
    if (member == self) continue;
    neighbours.in.push_back({member, weight});
    neighbours.out.push_back(member);
  }
  SortNeighbours(neighbours);
  return neighbours;
}

Random SharedRandom(const RoundPlace& place, absl::string_view purpose) {
  return Random(place.seed).Split(purpose).Split(place.round).Split(uint64_t{place.segment});
}

std::vector<size_t> RandomOrder(size_t members, Random& random) {
  std::vector<size_t> order(members);
  std::iota(order.begin(), order.end(), size_t{0});
  random.Shuffle(order);
  return order;
}

void SortNeighbours(Neighbours& neighbours) {
  std::sort(neighbours.in.begin(), neighbours.in.end(),
            [](const Inbound& a, const Inbound& b) { return a.from < b.from; });
  std::sort(neighbours.out.begin(), neighbours.out.end());
}

}  // namespace starling
