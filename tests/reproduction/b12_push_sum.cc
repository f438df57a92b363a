// Push-sum: are the weights needed, and what do lost messages do to them?

#include "absl/strings/str_cat.h"
#include "tests/reproduction/settings.h"

namespace starling {

Experiment B12() {
  Experiment experiment;
  experiment.id = "B12";
  experiment.title = "SGP and push-sum: weights, and messages that are lost";
  experiment.paper = "Assran et al. 2019, arXiv 1811.10792; Blot et al. 2016, arXiv 1611.09726";
  experiment.columns = {OwnAccuracy(), LowestAccuracy(), AverageAccuracy(), Consensus(),
                        {"mass", "mean weight", 4}, Seconds(), {"exchanges", "exchanges per worker", 0}};
  experiment.plot = {"distance from the average", PlotSpec::Kind::kCourse, "consensus",
                     "steps of a worker", "distance", false, true};
  struct Setting {
    const char* label;
    const char* algorithm;
    double loss;
  };
  for (const Setting& setting :
       {Setting{"exponential graph (sgp)", "sgp", 0},
        Setting{"random pushes with weights", "gosgd:p=1", 0},
        Setting{"random pushes without weights", "gossiping_sgd:p=1,push=1", 0},
        Setting{"exponential graph (sgp) 10 % lost", "sgp", 0.1},
        Setting{"random pushes with weights 10 % lost", "gosgd:p=1", 0.1},
        Setting{"the same not credited again", "gosgd:p=1,recredit=0", 0.1}}) {
    Cell cell;
    cell.workers = 8;
    cell.batch_size = 16;
    cell.steps = 500;
    cell.dirichlet_alpha = 0.3;
    cell.optimizer = Nesterov(0.01, 0.9);
    cell.label = setting.label;
    cell.algorithm = setting.algorithm;
    cell.network.loss = setting.loss;
    experiment.cells.push_back(cell);
  }
  return experiment;
}

}  // namespace starling
