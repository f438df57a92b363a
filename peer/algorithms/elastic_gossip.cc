// Two workers pull each other together with the same elastic force, so the sum of the pair is conserved.
// Exchanges are handled one after the other, so alpha * degree never leaves the stable range as it can
// when all partners of a round act at once.

#include "peer/algorithms/row.h"
#include "peer/gossip/elastic_mix.h"

namespace starling {

AlgorithmRow ElasticGossipRow() {
  return {
      "elastic_gossip",
      "pairs of random workers pull each other together by the same force",
      "Pramod 2018",
      "1812.02407",
      {PeriodOption(1),
       ProbabilityOption(0.125),
       {"alpha", 0.5, 0, 0.5, false, false,
        "share of the difference that each side moves; 0.5 meets in the middle, more would overshoot"},
       {"distance_penalty", 0, 0, 8, true, false,
        "workers are placed in a unit square; up: near ones meet more often; 0: all alike"}},
      AlgorithmGuarantees(),
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext& context) -> absl::StatusOr<Algorithm> {
        Algorithm algorithm;
        algorithm.schedule = MakePeriodicCoin(options.Whole("tau"), options["p"]);
        if (options["distance_penalty"] > 0) {
          algorithm.selector = MakeDistanceSelector(options["distance_penalty"], context.seed);
        } else {
          algorithm.selector = MakeUniformSelector();
        }
        algorithm.mix = MakeElasticMix(options["alpha"]);
        return algorithm;
      }};
}

}  // namespace starling
