// The visible table of topologies. Algorithms' options choose a row by name or by number; adding a
// row at the end is all that makes a new topology known to them and to the conformance suite.

#ifndef STARLING_PEER_TOPOLOGY_TOPOLOGY_REGISTRY_H_
#define STARLING_PEER_TOPOLOGY_TOPOLOGY_REGISTRY_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "peer/topology/topology.h"

namespace starling {

// The number that shapes a topology: a size, a degree, a period.
struct TopologyParameter {
  absl::string_view name;
  absl::string_view help;  // unit, and the effect of up and down
  uint64_t default_value;
  uint64_t minimum;
  uint64_t maximum;
};

struct TopologyRow {
  absl::string_view name;  // also name() of what `make` returns
  absl::string_view help;  // one line
  absl::optional<TopologyParameter> parameter;
  // `parameter` lies in the row's range; ignored where the row has none.
  std::unique_ptr<const Topology> (*make)(uint64_t parameter);
};

// A row's number is its index. Run configurations hold numbers: rows are never moved or removed,
// new ones come last.
const std::vector<TopologyRow>& TopologyRegistry();

// nullopt: the row's default.
// INVALID_ARGUMENT: unknown name (with the nearest known) or number (with the known ones), a
// parameter out of its range (with the range), or one for a row that has none.
absl::StatusOr<std::unique_ptr<const Topology>> MakeTopology(
    absl::string_view name, absl::optional<uint64_t> parameter = absl::nullopt);
absl::StatusOr<std::unique_ptr<const Topology>> MakeTopology(
    uint64_t number, absl::optional<uint64_t> parameter = absl::nullopt);

}  // namespace starling

#endif  // STARLING_PEER_TOPOLOGY_TOPOLOGY_REGISTRY_H_
