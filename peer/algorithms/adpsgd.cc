// Asynchronous decentralised SGD: as soon as one pair average is done the next begins, with a random other,
// while training goes on. The delta-commit transaction gives the atomicity for which the paper freezes the
// active side and splits workers into active and passive ones; bipartite = 1 chooses partners that way.

#include "peer/algorithms/row.h"
#include "peer/gossip/elastic_mix.h"
#include "peer/topology/exponential_pairs.h"

namespace starling {

AlgorithmRow AdpsgdRow() {
  return {
      "adpsgd",
      "pairs average all the time, at everybody's own pace",
      "Lian et al. 2018",
      "1710.06952",
      {PeriodOption(1),
       FlagOption("bipartite", false, "1: partners from the bipartite exponential graph")},
      AlgorithmGuarantees(),
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext& context) -> absl::StatusOr<Algorithm> {
        Algorithm algorithm;
        algorithm.schedule = MakePeriodicCoin(options.Whole("tau"), 1);
        if (options.Flag("bipartite")) {
          algorithm.selector = MakeTopologySelector(MakeBipartiteExponential(), context.seed);
        } else {
          algorithm.selector = MakeUniformSelector();
        }
        algorithm.mix = MakeElasticMix(0.5);
        return algorithm;
      }};
}

}  // namespace starling
