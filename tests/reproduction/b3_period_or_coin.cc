// Gossiping SGD: every tau steps, or each step with probability 1/tau.

#include "absl/strings/str_cat.h"
#include "tests/reproduction/settings.h"

namespace starling {

Experiment B3() {
  Experiment experiment;
  experiment.id = "B3";
  experiment.title = "A fixed period against a coin toss of the same rate";
  experiment.paper = "Pramod 2018, arXiv 1812.02407, fixed period";
  experiment.columns = {OwnAccuracy(), AverageAccuracy(), Consensus(), Megabytes()};
  experiment.plot = {"averaged model over the steps between exchanges", PlotSpec::Kind::kSettings,
                     "average_accuracy", "tau, or 1/p", "accuracy", true};
  Cell cell;
  cell.steps = 1200;
  cell.optimizer = Nesterov(0.001, 0.99);
  for (const int rarity : {8, 32, 128}) {
    cell.x = rarity;
    cell.series = "period";
    cell.algorithm = absl::StrCat("gossiping_sgd:p=1,tau=", rarity);
    cell.label = absl::StrCat("tau=", rarity);
    experiment.cells.push_back(cell);
    cell.series = "coin";
    cell.algorithm = absl::StrCat("gossiping_sgd:p=", 1.0 / rarity);
    cell.label = absl::StrCat("p=1/", rarity);
    experiment.cells.push_back(cell);
  }
  return experiment;
}

}  // namespace starling
