// The DiLoCo family: 50 local steps between communications.

#include "absl/strings/str_cat.h"
#include "tests/reproduction/settings.h"

namespace starling {

Experiment B15() {
  Experiment experiment;
  experiment.id = "B15";
  experiment.title = "DiLoCo, Streaming DiLoCo, NoLoCo, GASLoC";
  experiment.paper = "arXiv 2311.08105, 2501.18512, 2506.10911, 2606.11081";
  experiment.columns = {OwnAccuracy(), AverageAccuracy(), AverageLoss(), Consensus(), Megabytes()};
  experiment.plot = {"distance from the average", PlotSpec::Kind::kCourse, "consensus",
                     "steps of a worker", "distance", false, true};
  struct Method {
    const char* label;
    const char* algorithm;
  };
  for (const int workers : {4, 8}) {
    for (const Method& method :
         {Method{"none", "none"}, Method{"Local SGD", "local_sgd:tau=50"},
          Method{"DiLoCo", "diloco:tau=50"},
          Method{"Streaming DiLoCo", "streaming_diloco:tau=48,fragments=4"},
          Method{"NoLoCo", "noloco:tau=50"}, Method{"GASLoC", "gasloc:tau=50,gamma=0.3"}}) {
      Cell cell;
      cell.workers = workers;
      cell.batch_size = 16;
      cell.steps = 425;  // between two communications
      cell.optimizer = OptimizerOf("adamw", 0.001);
      cell.label = absl::StrCat(method.label, " n=", workers);
      cell.algorithm = method.algorithm;
      experiment.cells.push_back(cell);
    }
  }
  return experiment;
}

}  // namespace starling
