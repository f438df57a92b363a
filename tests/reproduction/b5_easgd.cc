// EASGD and EAMSGD over the period, beside asynchronous pulls.

#include "absl/strings/str_cat.h"
#include "tests/reproduction/settings.h"

namespace starling {

Experiment B5() {
  Experiment experiment;
  experiment.id = "B5";
  experiment.title = "EASGD and EAMSGD over the communication period";
  experiment.paper = "Zhang et al. 2015, arXiv 1412.6651";
  experiment.columns = {OwnAccuracy(), AverageAccuracy(),
                        Percent("centre_accuracy", "centre"),
                        {"early_loss", "loss after a quarter"}, AverageLoss(), Consensus()};
  experiment.plot = {"averaged model over the period", PlotSpec::Kind::kSettings, "average_accuracy",
                     "tau", "accuracy", true};
  struct Method {
    const char* name;
    const char* more;
    v1::OptimizerConfig optimizer;
  };
  for (const Method& method :
       {Method{"easgd", ",beta=0.9", Sgd(0.1)},
        Method{"eamsgd", ",beta=0.9", OptimizerOf("nesterov_velocity", 0.01, 0.99)},
        Method{"gossiping_sgd", ",p=1", Sgd(0.1)}}) {
    for (const int period : {1, 4, 16, 64}) {
      Cell cell;
      cell.steps = 512;
      cell.algorithm = absl::StrCat(method.name, ":tau=", period, method.more);
      cell.optimizer = method.optimizer;
      cell.series = method.name;
      cell.label = absl::StrCat(method.name, " tau=", period);
      cell.x = period;
      experiment.cells.push_back(cell);
    }
  }
  return experiment;
}

}  // namespace starling
