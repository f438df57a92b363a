// Decentralised parallel SGD: every step each worker mixes with its neighbours in a fixed graph. With order
// 1 the gradient is taken at the unmixed parameters while they travel (the paper), with order 2 workers
// adapt, then combine.

#include "peer/algorithms/row.h"
#include "peer/topology/topology_registry.h"

namespace starling {

AlgorithmRow DpsgdRow() {
  return {
      "dpsgd",
      "every step, each worker mixes with its neighbours in a fixed graph",
      "Lian et al. 2017",
      "1705.09056",
      {PeriodOption(1),
       {"topology", 2, 0, 19, true, true,
        "2 ring, 3 lazy ring, 4 pairs along a ring, 1 everybody with everybody; docs/algorithms.md "
        "has them all"},
       {"order", 1, 1, 2, true, true,
        "1 the parameters travel while the gradient is computed; 2 after the step, which waits"}},
      AlgorithmGuarantees(),
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext& context) -> absl::StatusOr<Algorithm> {
        auto topology = MakeTopology(options.Whole("topology"));
        if (!topology.ok()) return topology.status();
        if (absl::Status status = CheckTopology("dpsgd", **topology, context); !status.ok()) {
          return status;
        }
        Algorithm algorithm;
        algorithm.rounds.push_back(PlainRounds(*std::move(topology), options.Whole("tau")));
        algorithm.rounds.front().delay = options.Whole("order") == 1 ? 1 : 0;
        return algorithm;
      }};
}

}  // namespace starling
