// SwarmSGD: after tau local steps, fixed or geometric with that mean, a pair averages. The paper keeps a
// published copy beside the live parameters so that a running step is not interrupted; here a delta is
// added between two steps, which comes to the same without the copy.

#include "peer/algorithms/row.h"
#include "peer/gossip/elastic_mix.h"

namespace starling {

AlgorithmRow SwarmSgdRow() {
  return {
      "swarm_sgd",
      "random pairs average after a number of local steps",
      "Nadiradze et al. 2021",
      "1910.12308",
      {PeriodOption(4),
       FlagOption("geometric", true, "1: tau is the mean of a random number of steps")},
      AlgorithmGuarantees(),
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext&) -> absl::StatusOr<Algorithm> {
        Algorithm algorithm;
        const uint64_t tau = options.Whole("tau");
        algorithm.schedule = options.Flag("geometric")
                                 ? MakePeriodicCoin(1, 1.0 / static_cast<double>(tau))
                                 : MakePeriodicCoin(tau, 1);
        algorithm.selector = MakeUniformSelector();
        algorithm.mix = MakeElasticMix(0.5);
        return algorithm;
      }};
}

}  // namespace starling
