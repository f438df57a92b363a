// Gossip along a ring of 16 with an exact mean every H steps, on shards of unequal classes.

#include "absl/strings/str_cat.h"
#include "tests/reproduction/settings.h"

namespace starling {

Experiment B9() {
  Experiment experiment;
  experiment.id = "B9";
  experiment.title = "Gossip-PGA on a ring of 16 over the global period";
  experiment.paper = "Chen et al. 2021, arXiv 2105.09080";
  experiment.columns = {OwnAccuracy(), LowestAccuracy(), AverageAccuracy(), AverageLoss(), Consensus(),
                        Megabytes()};
  experiment.plot = {"distance from the average", PlotSpec::Kind::kCourse, "consensus",
                     "steps of a worker", "distance", false, true};
  Cell cell;
  cell.workers = 16;
  cell.batch_size = 16;
  cell.steps = 331;  // ends between two global means of every period
  cell.dirichlet_alpha = 0.3;
  cell.optimizer = Nesterov(0.01, 0.9);
  for (const int period : {1, 6, 48, 0}) {
    cell.algorithm = absl::StrCat("gossip_pga:topology=2,global_every=", period);
    cell.label = period == 0 ? "ring only (H = inf)" : absl::StrCat("H=", period);
    experiment.cells.push_back(cell);
  }
  return experiment;
}

}  // namespace starling
