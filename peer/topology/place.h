// What every topology is built from: checks of a place, rows of common shapes, shared randomness.

#ifndef STARLING_PEER_TOPOLOGY_PLACE_H_
#define STARLING_PEER_TOPOLOGY_PLACE_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "peer/runtime/random.h"
#include "peer/topology/topology.h"

namespace starling {

// Aborts unless self < members.
void CheckPlace(const RoundPlace& place);

// The smallest L with 2^L >= members: rounds until word has reached everybody, if those who have it
// double in every round. members >= 1.
constexpr uint64_t CeilLog2(size_t members) { return std::bit_width(members - 1); }

// (place + distance) mod members, and back. distance <= members; place < members.
constexpr size_t Ahead(size_t place, size_t distance, size_t members) {
  return (place + distance) % members;
}
constexpr size_t Behind(size_t place, size_t distance, size_t members) {
  return (place + members - distance) % members;
}

// Both meet in the middle.
Neighbours PairedWith(size_t partner);

// Half of self, half of `from`, while `to` does the same with self.
Neighbours HalfFrom(size_t from, size_t to);

// The plain mean of `group`, which has self among its members, in any order.
Neighbours MeanOf(absl::Span<const size_t> group, size_t self);

// The same row with every member j called rename(j). `rename` is injective.
template <typename Rename>
Neighbours Renamed(Neighbours neighbours, Rename rename);

// Random numbers that all members have in common, of one round and segment. `purpose` keeps
// topologies that share a seed independent of each other.
Random SharedRandom(const RoundPlace& place, absl::string_view purpose);

// 0, ..., members - 1 in random order, each order equally likely.
std::vector<size_t> RandomOrder(size_t members, Random& random);

// Sorts both lists ascending.
void SortNeighbours(Neighbours& neighbours);

template <typename Rename>
Neighbours Renamed(Neighbours neighbours, Rename rename) {
  for (Inbound& inbound : neighbours.in) inbound.from = rename(inbound.from);
  for (size_t& to : neighbours.out) to = rename(to);
  SortNeighbours(neighbours);
  return neighbours;
}

}  // namespace starling

#endif  // STARLING_PEER_TOPOLOGY_PLACE_H_
