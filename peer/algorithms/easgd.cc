// Elastic averaging: at every tau-th step worker and centre move towards each other by the same share of
// their difference, each worker on its own clock. The centre is a peer that does not train; while there is
// none, workers pull at each other instead. EAMSGD adds momentum to the workers, which never sees the spring.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "peer/algorithms/row.h"
#include "peer/gossip/elastic_mix.h"

namespace starling {
namespace {

std::vector<AlgorithmOptionSpec> SpringOptions() {
  return {PeriodOption(10),
          {"beta", 0.9, 0, 2, false, false,
           "moving rate of the centre: both sides move beta / workers of their difference"}};
}

absl::StatusOr<Algorithm> TieToCentre(const AlgorithmOptions& options,
                                      const AlgorithmContext& context) {
  const double workers = static_cast<double>(std::max<size_t>(context.workers, 1));
  const double alpha = options["beta"] / workers;
  if (context.workers > 0 && alpha > 0.5) {
    return absl::InvalidArgumentError(absl::StrCat(
        "beta ", options["beta"], " over ", workers, " workers moves alpha = ", alpha,
        " of the difference; above 0.5 centre and worker overshoot each other: use beta <= ",
        0.5 * workers));
  }
  Algorithm algorithm;
  algorithm.schedule = MakePeriodicCoin(options.Whole("tau"), 1);
  algorithm.selector = MakeCentreSelector();
  algorithm.mix = MakeElasticMix(std::min(alpha, 0.5));
  algorithm.needs_centre = true;
  return algorithm;
}

}  // namespace

AlgorithmRow EasgdRow() {
  return {"easgd",
          "a spring ties every worker to a shared centre",
          "Zhang et al. 2015",
          "1412.6651",
          SpringOptions(),
          AlgorithmGuarantees(),
          {},
          TieToCentre};
}

AlgorithmRow EamsgdRow() {
  return {"eamsgd",
          "EASGD with Nesterov momentum in velocity form on the workers",
          "Zhang et al. 2015",
          "1412.6651",
          SpringOptions(),
          AlgorithmGuarantees(),
          {"nesterov_velocity"},
          TieToCentre};
}

}  // namespace starling
