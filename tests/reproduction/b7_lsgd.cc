// Leader SGD in two groups of two against EASGD with the strength that its paper tuned for it.

#include "absl/strings/str_cat.h"
#include "tests/reproduction/settings.h"

namespace starling {

Experiment B7() {
  Experiment experiment;
  experiment.id = "B7";
  experiment.title = "Leader SGD against EASGD over the global period";
  experiment.paper = "Teng et al. 2019, arXiv 1905.10395";
  experiment.columns = {OwnAccuracy(), AverageAccuracy(), {"early_loss", "loss after a quarter"},
                        AverageLoss(), Consensus(), Megabytes(),
                        {"exchanges", "exchanges per worker", 0}};
  experiment.plot = {"loss of the averaged model", PlotSpec::Kind::kCourse, "average_loss",
                     "steps of a worker", "loss", false, true};
  for (const int period : {4, 16, 64}) {
    Cell cell;
    cell.steps = 640;
    cell.optimizer = Nesterov(0.01, 0.9);
    // Between groups every fourth communication.
    cell.algorithm = absl::StrCat("lsgd:groups=2,ratio=4,c=0.1,pull=0.1,tau=", period / 4);
    cell.label = absl::StrCat("lsgd tau=", period);
    experiment.cells.push_back(cell);
    cell.algorithm = absl::StrCat("easgd:beta=0.43,tau=", period);
    cell.label = absl::StrCat("easgd tau=", period);
    experiment.cells.push_back(cell);
  }
  return experiment;
}

}  // namespace starling
