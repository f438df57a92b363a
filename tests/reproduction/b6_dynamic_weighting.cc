// Workers that lose touch with the centre for a while: does it help that a stale worker does not drag the
// centre back? A third of the time, in bursts of 32 steps (8 exchanges), a worker is cut off from it.

#include <set>

#include "absl/strings/str_cat.h"
#include "peer/runtime/random.h"
#include "tests/reproduction/settings.h"

namespace starling {
namespace {

constexpr double kCutShare = 1.0 / 3;
constexpr int kBurstSteps = 32;

void CutInBursts(Simulation& simulation, const std::function<bool()>& done) {
  Random random = Random(simulation.options().seed).Split("bursts");
  const int centre = simulation.options().peers - 1;
  do {
    simulation.Heal();
    for (int worker = 0; worker < centre; ++worker) {
      if (random.Uniform() < kCutShare) simulation.Partition({worker}, {centre});
    }
  } while (!simulation.RunUntil(done, kBurstSteps * kStepTime) &&
           simulation.elapsed() < absl::Hours(1));
  simulation.Heal();
}

}  // namespace

Experiment B6() {
  Experiment experiment;
  experiment.id = "B6";
  experiment.title = "Dynamic weighting under failures of the link to the centre";
  experiment.paper = "Xu and Carr 2024, arXiv 2409.09242";
  experiment.columns = {OwnAccuracy(), AverageAccuracy(), Percent("centre_accuracy", "centre"),
                        AverageLoss(), Consensus(), {"exchanges", "exchanges per worker", 0}};
  experiment.plot = {"loss of the averaged model", PlotSpec::Kind::kCourse, "average_loss",
                     "steps of a worker", "loss", false, true};
  struct Local {
    const char* name;
    v1::OptimizerConfig optimizer;
  };
  for (const int workers : {4, 8}) {
    for (const Local& local : {Local{"SGD", Sgd(0.1)},
                               Local{"AdaHessian", OptimizerOf("adahessian", 0.02)}}) {
      for (const bool failures : {false, true}) {
        if (workers == 8 && (local.optimizer.name() != "sgd" || !failures)) continue;
        for (const bool dynamic : {false, true}) {
          Cell cell;
          cell.workers = workers;
          cell.steps = 512;
          cell.optimizer = local.optimizer;
          cell.algorithm = dynamic ? "dynamic_easgd:tau=4,alpha=0.1"
                                   : absl::StrCat("easgd:tau=4,beta=", 0.1 * workers);
          cell.label = absl::StrCat(dynamic ? "dynamic" : "constant", " n=", workers, " ", local.name,
                                    failures ? " failures" : "");
          if (failures) cell.drive = CutInBursts;
          experiment.cells.push_back(cell);
        }
      }
    }
  }
  return experiment;
}

}  // namespace starling
