// GossipGraD: topologies, rotation, what travels and how it is applied; and the sample shuffle, on shards
// of unequal classes.

#include "absl/strings/str_cat.h"
#include "tests/reproduction/settings.h"

namespace starling {

Experiment B8() {
  Experiment experiment;
  experiment.id = "B8";
  experiment.title = "GossipGraD: topology, rotation, payload and sample shuffle";
  experiment.paper = "Daily et al. 2018, arXiv 1803.05880";
  experiment.columns = {OwnAccuracy(), AverageAccuracy(), {"early_loss", "loss after a quarter"},
                        AverageLoss(), Consensus(), Megabytes()};
  experiment.plot = {"loss of the averaged model", PlotSpec::Kind::kCourse, "average_loss",
                     "steps of a worker", "loss", false, true};
  struct Setting {
    const char* label;
    const char* algorithm;
    double rate = 0.01;
    double dirichlet = 0;
  };
  for (const Setting& setting :
       {Setting{"all-reduce", "allreduce_sgd"},
        Setting{"hypercube", "gossipgrad:hypercube=1,rotate=0"},
        Setting{"hypercube rotating", "gossipgrad:hypercube=1,rotate=1"},
        Setting{"dissemination", "gossipgrad:rotate=0"},
        Setting{"dissemination rotating", "gossipgrad:rotate=1"},
        Setting{"gradients only", "gossipgrad:payload=2"},
        Setting{"overlapped by difference", "gossipgrad:payload=1"},
        Setting{"overlapped by overwriting", "gossipgrad:payload=3"},
        Setting{"all-reduce at half the rate", "allreduce_sgd", 0.005},
        Setting{"unequal: all-reduce", "allreduce_sgd", 0.01, 0.1},
        Setting{"unequal: no shuffle", "gossipgrad:shuffle=0", 0.01, 0.1},
        Setting{"unequal: shuffle", "gossipgrad:shuffle=1", 0.01, 0.1}}) {
    Cell cell;
    cell.workers = 8;
    cell.batch_size = 16;
    // 50 steps for a pass over the own shard.
    cell.examples = 6400;
    cell.steps = 400;
    cell.label = setting.label;
    cell.algorithm = setting.algorithm;
    cell.optimizer = Nesterov(setting.rate, 0.9);
    cell.dirichlet_alpha = setting.dirichlet;
    experiment.cells.push_back(cell);
  }
  return experiment;
}

}  // namespace starling
