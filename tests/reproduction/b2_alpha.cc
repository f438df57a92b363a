// The thesis' sweep of alpha: weak coupling and rare communication break the averaged model, not the single
// ones. Above alpha = 1/2 exchanges that do not wait for each other overshoot, so the algorithm does not
// offer it, and .75 and .95 are left out.

#include "absl/strings/str_cat.h"
#include "tests/reproduction/settings.h"

namespace starling {

Experiment B2() {
  Experiment experiment;
  experiment.id = "B2";
  experiment.title = "Elastic Gossip over the strength of an exchange";
  experiment.paper = "Pramod 2018, arXiv 1812.02407, effect of alpha";
  experiment.columns = {OwnAccuracy(), LowestAccuracy(), AverageAccuracy(), Consensus()};
  experiment.plot = {"averaged model over alpha", PlotSpec::Kind::kSettings, "average_accuracy",
                     "alpha", "accuracy"};
  Cell cell;
  cell.steps = 1200;
  cell.optimizer = Nesterov(0.001, 0.99);
  for (const auto& [workers, rarity] : {std::pair(4, 32), std::pair(4, 512), std::pair(8, 512)}) {
    for (const double alpha : {0.05, 0.25, 0.5}) {
      cell.workers = workers;
      cell.batch_size = static_cast<uint32_t>(128 / workers);
      cell.algorithm = absl::StrCat("elastic_gossip:p=", 1.0 / rarity, ",alpha=", alpha);
      cell.series = absl::StrCat("n=", workers, " p=1/", rarity);
      cell.label = absl::StrCat(cell.series, " alpha=", alpha);
      cell.x = alpha;
      experiment.cells.push_back(cell);
    }
  }
  return experiment;
}

}  // namespace starling
