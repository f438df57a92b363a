// Ways in which a network can fall apart: who cannot send to whom.

#ifndef STARLING_TESTS_SIM_PARTITIONS_H_
#define STARLING_TESTS_SIM_PARTITIONS_H_

#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace starling {

enum class PartitionKind {
  kHalves,    // two parts that hear nothing of each other
  kOneWay,    // one part hears the other, which hears nothing
  kIsolated,  // one node alone
  kDeaf,      // one node that can send and hears nobody
  kMute,      // one node that hears and cannot be heard
  kBridge,    // two parts, and one node that both of them talk to
  kRing,      // every node talks to its nearest neighbours in a ring, a majority; no two to the same ones
};
constexpr PartitionKind kPartitionKinds[] = {
    PartitionKind::kHalves, PartitionKind::kOneWay, PartitionKind::kIsolated, PartitionKind::kDeaf,
    PartitionKind::kMute,   PartitionKind::kBridge, PartitionKind::kRing};

absl::string_view NameOf(PartitionKind kind);

// Directions (from, to) in which nothing passes. `nodes`: all there are, in a random order, which is what
// is random about it. Empty if they are too few to be parted in this way: 2, for a bridge 3, for a
// ring 4.
std::vector<std::pair<int, int>> CutsOf(PartitionKind kind, const std::vector<int>& nodes);

}  // namespace starling

#endif  // STARLING_TESTS_SIM_PARTITIONS_H_
