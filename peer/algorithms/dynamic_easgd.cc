// EASGD whose spring tells the two sides apart by how long the worker was out of touch: a stale worker is
// pulled home and does not drag the centre back. The daemon judges by missed exchanges; the paper's own
// score, the slope of log distances, is in peer/gossip/staleness.h. Made for adahessian, works with all.

#include "peer/algorithms/row.h"
#include "peer/gossip/staleness_mix.h"

namespace starling {

AlgorithmRow DynamicEasgdRow() {
  return {
      "dynamic_easgd",
      "EASGD that pulls stale workers home without letting them drag the centre",
      "Xu and Carr 2024",
      "2409.09242",
      {PeriodOption(4),
       {"alpha", 0.1, 0, 0.5, false, false,
        "share of the difference that a fresh worker and the centre move"}},
      AlgorithmGuarantees{.sum = AlgorithmGuarantees::Sum::kMoves, .because = "a stale worker moves more than the centre; the defect is declared"},
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext&) -> absl::StatusOr<Algorithm> {
        Algorithm algorithm;
        algorithm.schedule = MakePeriodicCoin(options.Whole("tau"), 1);
        algorithm.selector = MakeCentreSelector();
        algorithm.mix = MakeStalenessMix(options["alpha"]);
        algorithm.staleness_unit = options.Whole("tau");
        algorithm.needs_centre = true;
        return algorithm;
      }};
}

}  // namespace starling
