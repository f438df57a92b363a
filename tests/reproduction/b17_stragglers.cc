// One of four workers is five times slower. Everybody trains for the same virtual time.

#include "absl/strings/str_cat.h"
#include "tests/reproduction/settings.h"

namespace starling {

Experiment B17() {
  Experiment experiment;
  experiment.id = "B17";
  experiment.title = "One worker of four is five times slower";
  experiment.paper = "Lian et al. 2018, arXiv 1710.06952";
  experiment.columns = {{"steps", "steps per worker", 0}, Percent("waiting", "time waiting"),
                        OwnAccuracy(), AverageAccuracy(), AverageLoss(), Megabytes()};
  experiment.plot = {"loss of the averaged model", PlotSpec::Kind::kCourse, "average_loss",
                     "virtual seconds", "loss", false, true, true};
  struct Method {
    const char* label;
    const char* algorithm;
  };
  for (const Method& method :
       {Method{"all-reduce", "allreduce_sgd"}, Method{"local SGD", "local_sgd:tau=8"},
        Method{"AD-PSGD", "adpsgd"}, Method{"Elastic Gossip", "elastic_gossip:p=0.125"},
        Method{"LASGD", "lasgd:tau=8"}}) {
    for (const bool straggler : {false, true}) {
      Cell cell;
      cell.steps = 0;
      cell.duration = absl::Seconds(16);
      cell.optimizer = Nesterov(0.01, 0.9);
      cell.network = Lan();
      cell.label = absl::StrCat(method.label, straggler ? " one slow" : "");
      cell.algorithm = method.algorithm;
      if (straggler) cell.slowness = {5};
      experiment.cells.push_back(cell);
    }
  }
  return experiment;
}

}  // namespace starling
