// Elastic averaging: at every tau-th step worker and centre move towards each other by the same share of
// their difference, each worker on its own clock. The centre is a peer that does not train; while there is
// none, workers pull at each other instead. The momentum never sees the spring.

#include "absl/strings/str_cat.h"
#include "peer/algorithms/row.h"
#include "peer/gossip/elastic_mix.h"

namespace starling {

AlgorithmRow EamsgdRow() {
  return {
      "eamsgd",
      "EASGD with Nesterov momentum in velocity form on the workers",
      "Zhang et al. 2015",
      "1412.6651",
      {PeriodOption(10),
       {"beta", 0.9, 0, 2, false, false,
        "moving rate of the centre: both sides move beta / workers of their difference"}},
      AlgorithmGuarantees(),
      {"nesterov_velocity"},
      [](const AlgorithmOptions& options,
         const AlgorithmContext& context) -> absl::StatusOr<Algorithm> {
        const double alpha =
            options["beta"] / static_cast<double>(std::max<size_t>(context.workers, 1));
        if (context.workers > 0 && alpha > 0.5) {
          return absl::InvalidArgumentError(absl::StrCat(
              "algorithm \"eamsgd\": beta ", options["beta"], " over ", context.workers,
              " workers moves alpha = ", alpha, " of the difference; above 0.5 centre and worker "
              "overshoot each other: use beta <= ", 0.5 * static_cast<double>(context.workers)));
        }
        Algorithm algorithm;
        algorithm.schedule = MakePeriodicCoin(options.Whole("tau"), 1);
        algorithm.selector = MakeCentreSelector();
        algorithm.mix = MakeElasticMix(std::min(alpha, 0.5));
        algorithm.needs_centre = true;
        return algorithm;
      }};
}

}  // namespace starling
