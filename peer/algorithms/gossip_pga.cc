// Gossip every step and an exact average every `global_every` steps.

#include "peer/algorithms/row.h"
#include "peer/topology/topology_registry.h"

namespace starling {

AlgorithmRow GossipPgaRow() {
  return {
      "gossip_pga",
      "gossip every step, and everybody's exact mean every so many",
      "Chen et al. 2021",
      "2105.09080",
      {{"topology", 5, 0, 19, true, true,
        "5 one-peer exponential, 2 ring, 4 pairs along a ring; docs/algorithms.md has them all"},
       {"global_every", 6, 0, 1e9, true, true,
        "steps from one exact mean to the next; 1: all-reduce; 0: never"}},
      AlgorithmGuarantees(),
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext& context) -> absl::StatusOr<Algorithm> {
        auto topology = MakeTopology(options.Whole("topology"));
        if (!topology.ok()) return topology.status();
        if (absl::Status status = CheckTopology("gossip_pga", **topology, context); !status.ok()) {
          return status;
        }
        Algorithm algorithm;
        algorithm.rounds.push_back(PlainRounds(*std::move(topology), 1));
        algorithm.rounds.front().global_every = options.Whole("global_every");
        return algorithm;
      }};
}

}  // namespace starling
