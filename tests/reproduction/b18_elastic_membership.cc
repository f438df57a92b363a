// Workers come and go: 4, then 8, then 3.

#include "absl/strings/str_cat.h"
#include "tests/reproduction/settings.h"

namespace starling {
namespace {

constexpr absl::Duration kThird = absl::Seconds(8);

void ComeAndGo(Simulation& simulation, const std::function<bool()>& done) {
  if (simulation.RunUntil(done, kThird)) return;
  for (int i = 0; i < 4; ++i) simulation.Join();
  if (simulation.RunUntil(done, kThird)) return;
  for (const int node : {0, 5}) simulation.Crash(node);
  for (const int node : {1, 4, 6}) simulation.Leave(node);
  simulation.RunUntil(done, absl::Hours(1));
}

}  // namespace

Experiment B18() {
  Experiment experiment;
  experiment.id = "B18";
  experiment.title = "Workers come and go: 4, then 8, then 3";
  experiment.paper = "Lin et al. 2019, arXiv 1904.12043";
  experiment.columns = {OwnAccuracy(), AverageAccuracy(), AverageLoss(),
                        {"worst_rise", "largest rise of the loss"}, {"mass", "mean weight"}};
  experiment.plot = {"loss of the averaged model; joins near 7 s, departures near 15 s",
                     PlotSpec::Kind::kCourse, "average_loss", "virtual seconds", "loss", false, true,
                     true};
  struct Method {
    const char* label;
    const char* algorithm;
    bool undisturbed = false;
  };
  for (const Method& method :
       {Method{"Elastic Gossip", "elastic_gossip:p=0.125"},
        Method{"Elastic Gossip, 4 all the time", "elastic_gossip:p=0.125", true},
        Method{"GoSGD", "gosgd:p=0.125"}, Method{"all-reduce", "allreduce_sgd"},
        Method{"dynamic mini-batch", "dynamic_minibatch"}}) {
    Cell cell;
    cell.steps = 0;
    cell.duration = absl::Seconds(23);
    cell.optimizer = Nesterov(0.01, 0.9);
    cell.label = method.label;
    cell.algorithm = method.algorithm;
    if (!method.undisturbed) cell.drive = ComeAndGo;
    experiment.cells.push_back(cell);
  }
  return experiment;
}

}  // namespace starling
