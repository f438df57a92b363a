// Pull: the worker moves half way to a random other, who does not move. Push: the other does instead. One
// direction of traffic; the sum over all is conserved only on average over who asks whom.

#include "peer/algorithms/row.h"
#include "peer/gossip/pull_mix.h"
#include "peer/gossip/push_mix.h"

namespace starling {

AlgorithmRow GossipingSgdRow() {
  return {
      "gossiping_sgd",
      "a worker moves half way to a random other, who does not move (or pushes it so)",
      "Jin et al. 2016",
      "1611.04581",
      {PeriodOption(1),
       ProbabilityOption(0.125),
       FlagOption("push", false, "1: the worker sends its values instead of asking for the other's")},
      AlgorithmGuarantees{.sum = AlgorithmGuarantees::Sum::kInExpectation, .because = "only one of the two moves"},
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext&) -> absl::StatusOr<Algorithm> {
        Algorithm algorithm;
        algorithm.schedule = MakePeriodicCoin(options.Whole("tau"), options["p"]);
        algorithm.selector = MakeUniformSelector();
        algorithm.mix = options.Flag("push") ? MakePushMix() : MakePullMix();
        return algorithm;
      }};
}

}  // namespace starling
