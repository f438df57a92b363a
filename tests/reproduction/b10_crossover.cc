// Crossover-SGD: segments, derangements and groups, at the bytes of plain one-peer gossip.

#include "absl/strings/str_cat.h"
#include "tests/reproduction/settings.h"

namespace starling {

Experiment B10() {
  Experiment experiment;
  experiment.id = "B10";
  experiment.title = "Crossover-SGD: segments, derangements, groups";
  experiment.paper = "Yeo et al. 2020, arXiv 2012.15198";
  experiment.columns = {OwnAccuracy(), AverageAccuracy(), AverageLoss(), Consensus(), Megabytes()};
  experiment.plot = {"distance from the average", PlotSpec::Kind::kCourse, "consensus",
                     "steps of a worker", "distance", false, true};
  struct Setting {
    int workers;
    const char* label;
    const char* algorithm;
  };
  for (const Setting& setting :
       {Setting{8, "all-reduce", "allreduce_sgd"},
        Setting{8, "random pulls", "gossiping_sgd:p=1"},
        Setting{8, "one segment", "crossover_sgd:segments=1"},
        Setting{8, "4 segments", "crossover_sgd:segments=4"},
        Setting{8, "4 segments groups of 2", "crossover_sgd:segments=4,group_size=2"},
        Setting{8, "4 segments groups of 4", "crossover_sgd:segments=4,group_size=4"},
        Setting{16, "one segment", "crossover_sgd:segments=1"},
        Setting{16, "4 segments", "crossover_sgd:segments=4"},
        Setting{16, "4 segments groups of 2", "crossover_sgd:segments=4,group_size=2"}}) {
    Cell cell;
    cell.workers = setting.workers;
    cell.batch_size = 16;
    cell.steps = 300;
    cell.optimizer = Nesterov(0.01, 0.9);
    cell.label = absl::StrCat("n=", setting.workers, " ", setting.label);
    cell.algorithm = setting.algorithm;
    experiment.cells.push_back(cell);
  }
  return experiment;
}

}  // namespace starling
