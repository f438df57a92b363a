// Asynchronous push-sum: a worker sends its values and half of its weight to a random other, who takes the
// weighted mean. Nobody answers with values and nobody waits. Weight that does not arrive is taken back.

#include "peer/algorithms/row.h"
#include "peer/gossip/push_sum_mix.h"

namespace starling {

AlgorithmRow GoSgdRow() {
  return {
      "gosgd",
      "workers push values with half of their weight to random others: push-sum",
      "Blot et al. 2016",
      "1611.09726",
      {PeriodOption(1),
       ProbabilityOption(0.125),
       FlagOption("recredit", true, "0: weight that is lost on the way stays lost, to see what happens")},
      AlgorithmGuarantees{.sum = AlgorithmGuarantees::Sum::kWeighted},
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext&) -> absl::StatusOr<Algorithm> {
        Algorithm algorithm;
        algorithm.schedule = MakePeriodicCoin(options.Whole("tau"), options["p"]);
        algorithm.selector = MakeUniformSelector();
        algorithm.mix = MakePushSumMix();
        algorithm.returns_mass = options.Flag("recredit");
        return algorithm;
      }};
}

}  // namespace starling
