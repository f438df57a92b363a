// Locally asynchronous SGD: exact averages go on in the background, one after the other, while everybody
// makes steps; a result is added as the difference from what was contributed. The paper's abstract fixes no
// more than that; this is our reading of it.

#include "peer/algorithms/row.h"
#include "peer/topology/everyone.h"

namespace starling {

AlgorithmRow LasgdRow() {
  return {
      "lasgd",
      "exact averages in the background while training goes on",
      "Avidor and Tal Israel 2022",
      "2203.13085",
      {PeriodOption(8)},
      AlgorithmGuarantees(),
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext&) -> absl::StatusOr<Algorithm> {
        Algorithm algorithm;
        algorithm.rounds.push_back(PlainRounds(MakeEveryone(), options.Whole("tau")));
        algorithm.rounds.front().delay = RoundSpec::kBackground;
        return algorithm;
      }};
}

}  // namespace starling
