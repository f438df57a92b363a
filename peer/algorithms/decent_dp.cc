// Decent-DP: decentralised data parallelism overlapped with the gradient. Groups of neighbours average within
// and between groups by turns, so that the costly links are used every other step; the parameters travel
// while the gradient of the same step is computed.

#include "peer/algorithms/row.h"
#include "peer/topology/exponential.h"
#include "peer/topology/groups.h"

namespace starling {

AlgorithmRow DecentDpRow() {
  return {
      "decent_dp",
      "groups average within and between each other by turns, while the gradient is computed",
      "Wang et al. 2025",
      "2410.11998",
      {{"group_size", 2, 1, 1024, true, true,
        "workers in a group, those with quick links to each other; 1: all links alike"}},
      AlgorithmGuarantees(),
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext& context) -> absl::StatusOr<Algorithm> {
        std::unique_ptr<const Topology> topology =
            MakeAlternatingGroups(options.Whole("group_size"), MakeOnePeerExponential());
        if (absl::Status status = CheckTopology(*topology, context); !status.ok()) {
          return status;
        }
        Algorithm algorithm;
        algorithm.rounds.push_back(PlainRounds(std::move(topology), 1));
        algorithm.rounds.front().delay = 1;
        return algorithm;
      }};
}

}  // namespace starling
