#include "tests/sim/partitions.h"

#include <algorithm>
#include <cstddef>

namespace starling {
namespace {

using Cuts = std::vector<std::pair<int, int>>;

// From the nodes at [a, b) to those at [c, d).
void CutOneWay(const std::vector<int>& nodes, size_t a, size_t b, size_t c, size_t d, Cuts& cuts) {
  for (size_t from = a; from < b; ++from) {
    for (size_t to = c; to < d; ++to) cuts.emplace_back(nodes[from], nodes[to]);
  }
}

void CutBothWays(const std::vector<int>& nodes, size_t a, size_t b, size_t c, size_t d,
                 Cuts& cuts) {
  CutOneWay(nodes, a, b, c, d, cuts);
  CutOneWay(nodes, c, d, a, b, cuts);
}

}  // namespace

absl::string_view NameOf(PartitionKind kind) {
  switch (kind) {
    case PartitionKind::kHalves:
      return "halves";
    case PartitionKind::kOneWay:
      return "one-way halves";
    case PartitionKind::kIsolated:
      return "one isolated";
    case PartitionKind::kDeaf:
      return "one deaf";
    case PartitionKind::kMute:
      return "one mute";
    case PartitionKind::kBridge:
      return "bridge";
    case PartitionKind::kRing:
      return "ring of majorities";
  }
  return "";
}

Cuts CutsOf(PartitionKind kind, const std::vector<int>& nodes) {
  const size_t n = nodes.size();
  Cuts cuts;
  if (n < 2) return cuts;
  switch (kind) {
    case PartitionKind::kHalves:
      CutBothWays(nodes, 0, n / 2, n / 2, n, cuts);
      break;
    case PartitionKind::kOneWay:
      CutOneWay(nodes, 0, n / 2, n / 2, n, cuts);
      break;
    case PartitionKind::kIsolated:
      CutBothWays(nodes, 0, 1, 1, n, cuts);
      break;
    case PartitionKind::kDeaf:
      CutOneWay(nodes, 1, n, 0, 1, cuts);
      break;
    case PartitionKind::kMute:
      CutOneWay(nodes, 0, 1, 1, n, cuts);
      break;
    case PartitionKind::kBridge:
      // The first is the bridge.
      if (n > 2) CutBothWays(nodes, 1, 1 + n / 2, 1 + n / 2, n, cuts);
      break;
    case PartitionKind::kRing: {
      const size_t reach = (n / 2 + 1) / 2;  // to each side: 2 * reach + 1 of n are a majority
      for (size_t from = 0; from < n; ++from) {
        for (size_t to = 0; to < n; ++to) {
          const size_t apart = from > to ? from - to : to - from;
          if (std::min(apart, n - apart) > reach) cuts.emplace_back(nodes[from], nodes[to]);
        }
      }
      break;
    }
  }
  return cuts;
}

}  // namespace starling
