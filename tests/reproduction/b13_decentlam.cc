// Momentum on a ring: on shards of unequal classes plain decentralised momentum SGD is biased, DecentLaM is
// not.

#include "absl/strings/str_cat.h"
#include "tests/reproduction/settings.h"

namespace starling {

Experiment B13() {
  Experiment experiment;
  experiment.id = "B13";
  experiment.title = "DecentLaM on a ring of 8, equal and unequal shards";
  experiment.paper = "Yuan et al. 2021, arXiv 2104.11981";
  experiment.columns = {OwnAccuracy(), LowestAccuracy(), AverageAccuracy(), AverageLoss(), Consensus()};
  experiment.plot = {"loss of the averaged model", PlotSpec::Kind::kCourse, "average_loss",
                     "steps of a worker", "loss", false, true};
  struct Method {
    const char* label;
    const char* algorithm;
    v1::OptimizerConfig optimizer;
  };
  for (const double dirichlet : {0.0, 0.1}) {
    for (const Method& method :
         {Method{"all-reduce", "allreduce_sgd", Nesterov(0.02, 0.9)},
          Method{"DSGD", "dpsgd:topology=3,order=2", Sgd(0.2)},
          Method{"DmSGD", "dpsgd:topology=3,order=2", Nesterov(0.02, 0.9)},
          Method{"DecentLaM", "decentlam:momentum=0.9", Sgd(0.02)}}) {
      Cell cell;
      cell.workers = 8;
      cell.batch_size = 16;
      cell.steps = 400;
      cell.dirichlet_alpha = dirichlet;
      cell.label = absl::StrCat(dirichlet == 0 ? "equal: " : "unequal: ", method.label);
      cell.algorithm = method.algorithm;
      cell.optimizer = method.optimizer;
      experiment.cells.push_back(cell);
    }
  }
  return experiment;
}

}  // namespace starling
