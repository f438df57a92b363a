// Decentralised parallel SGD: every step each worker mixes with its neighbours in a fixed graph. With order
// 1 the gradient is taken at the unmixed parameters while they travel (the paper), with order 2 workers
// adapt, then combine.

#include "peer/algorithms/row.h"

namespace starling {

AlgorithmRow DpsgdRow() {
  return {
      "dpsgd",
      "every step, each worker mixes with its neighbours in a fixed graph",
      "Lian et al. 2017",
      "1705.09056",
      {PeriodOption(1),
       TopologyOption(2),
       {"order", 1, 1, 2, true, true,
        "1 the parameters travel while the gradient is computed; 2 after the step, which waits"}},
      AlgorithmGuarantees(),
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext& context) -> absl::StatusOr<Algorithm> {
        auto rounds = RoundsAlongTopology(options, context, options.Whole("tau"));
        if (!rounds.ok()) return rounds.status();
        rounds->delay = options.Whole("order") == 1 ? 1 : 0;
        Algorithm algorithm;
        algorithm.rounds.push_back(*std::move(rounds));
        return algorithm;
      }};
}

}  // namespace starling
