// Local SGD, also FedAvg: tau local steps, then everybody takes the mean. Momentum stays local.

#include "peer/algorithms/row.h"
#include "peer/topology/everyone.h"

namespace starling {

AlgorithmRow LocalSgdRow() {
  return {
      "local_sgd",
      "workers train alone and take their common mean every tau steps",
      "Stich 2019",
      "1805.09767",
      {PeriodOption(8)},
      AlgorithmGuarantees(),
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext&) -> absl::StatusOr<Algorithm> {
        Algorithm algorithm;
        algorithm.rounds.push_back(PlainRounds(MakeEveryone(), options.Whole("tau")));
        return algorithm;
      }};
}

}  // namespace starling
