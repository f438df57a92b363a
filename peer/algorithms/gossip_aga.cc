// Gossip-PGA whose period grows as the loss falls. Everybody computes the same period from the mean loss,
// which travels in the global round.

#include "peer/algorithms/row.h"
#include "peer/topology/topology_registry.h"

namespace starling {

AlgorithmRow GossipAgaRow() {
  return {
      "gossip_aga",
      "Gossip-PGA whose period adapts to the loss",
      "Chen et al. 2021",
      "2105.09080",
      {{"topology", 5, 0, 19, true, true,
        "5 one-peer exponential, 2 ring, 4 pairs along a ring; docs/algorithms.md has them all"},
       {"global_every", 4, 1, 1e9, true, true, "the period to begin with, in steps"},
       {"exponent", 1, 0, 4, false, false,
        "the period grows like (first loss / loss)^exponent; up: rarer exact means as training goes on"}},
      AlgorithmGuarantees(),
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext& context) -> absl::StatusOr<Algorithm> {
        auto topology = MakeTopology(options.Whole("topology"));
        if (!topology.ok()) return topology.status();
        if (absl::Status status = CheckTopology("gossip_aga", **topology, context); !status.ok()) {
          return status;
        }
        Algorithm algorithm;
        algorithm.rounds.push_back(PlainRounds(*std::move(topology), 1));
        algorithm.rounds.front().global_every = options.Whole("global_every");
        algorithm.rounds.front().global_exponent = options["exponent"];
        return algorithm;
      }};
}

}  // namespace starling
