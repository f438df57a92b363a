// Gossip every step and an exact average every `global_every` steps. Gossip-AGA lets that period grow as
// the loss falls: everybody computes the same one from the mean loss, which travels in the global round.

#include "peer/algorithms/row.h"

namespace starling {

AlgorithmRow GossipPgaRow() {
  return {
      "gossip_pga",
      "gossip every step, and everybody's exact mean every so many",
      "Chen et al. 2021",
      "2105.09080",
      {TopologyOption(5),
       {"global_every", 6, 0, 1e9, true, true,
        "steps from one exact mean to the next; 1: all-reduce; 0: never"}},
      AlgorithmGuarantees(),
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext& context) -> absl::StatusOr<Algorithm> {
        auto rounds = RoundsAlongTopology(options, context, 1);
        if (!rounds.ok()) return rounds.status();
        rounds->global_every = options.Whole("global_every");
        Algorithm algorithm;
        algorithm.rounds.push_back(*std::move(rounds));
        return algorithm;
      }};
}

AlgorithmRow GossipAgaRow() {
  return {
      "gossip_aga",
      "Gossip-PGA whose period adapts to the loss",
      "Chen et al. 2021",
      "2105.09080",
      {TopologyOption(5),
       {"global_every", 4, 1, 1e9, true, true, "the period to begin with, in steps"},
       {"exponent", 1, 0, 4, false, false,
        "the period grows like (first loss / loss)^exponent; up: rarer exact means as training goes on"}},
      AlgorithmGuarantees(),
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext& context) -> absl::StatusOr<Algorithm> {
        auto rounds = RoundsAlongTopology(options, context, 1);
        if (!rounds.ok()) return rounds.status();
        rounds->global_every = options.Whole("global_every");
        rounds->global_exponent = options["exponent"];
        Algorithm algorithm;
        algorithm.rounds.push_back(*std::move(rounds));
        return algorithm;
      }};
}

}  // namespace starling
