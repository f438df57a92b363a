// What a single exact average at the very end recovers. "own model" is before it, "averaged model" after.

#include "absl/strings/str_cat.h"
#include "tests/reproduction/settings.h"

namespace starling {

Experiment B16() {
  Experiment experiment;
  experiment.id = "B16";
  experiment.title = "One final merge after little communication, very unequal shards";
  experiment.paper = "arXiv 2507.06542";
  experiment.columns = {OwnAccuracy(), AverageAccuracy(), Percent("gain", "gain by merging"),
                        Consensus(), Megabytes()};
  experiment.plot = {"averaged model", PlotSpec::Kind::kCourse, "average_accuracy",
                     "steps of a worker", "accuracy"};
  struct Setting {
    const char* label;
    const char* algorithm;
    bool final_merge = false;
  };
  // 100 steps are one pass over a shard of average size.
  for (const Setting& setting :
       {Setting{"never", "none"}, Setting{"never, then merged", "none", true},
        Setting{"one peer a pass p=0.2", "elastic_gossip:tau=100,p=0.2"},
        Setting{"one peer a pass p=0.2, then merged", "elastic_gossip:tau=100,p=0.2", true},
        Setting{"one peer a pass p=1", "elastic_gossip:tau=100,p=1"},
        Setting{"everybody every pass", "local_sgd:tau=100"},
        Setting{"all-reduce", "allreduce_sgd"}}) {
    Cell cell;
    cell.workers = 8;
    cell.batch_size = 16;
    cell.steps = 650;  // between two passes
    cell.dirichlet_alpha = 0.1;
    cell.optimizer = Nesterov(0.01, 0.9);
    cell.label = setting.label;
    cell.algorithm = setting.algorithm;
    cell.final_merge = setting.final_merge;
    experiment.cells.push_back(cell);
  }
  return experiment;
}

}  // namespace starling
