// Table 1 of the Elastic Gossip thesis: how accuracy falls as peers talk less. The thesis trains 40,000
// steps with p from 1/8 to 1/2048; here 1,200, so that p from 1/8 to 1/512 leaves each worker 150 to 2.3
// exchanges that it begins, where the thesis has 5,000 to 20.

#include "absl/strings/str_cat.h"
#include "tests/reproduction/settings.h"

namespace starling {

Experiment B1() {
  Experiment experiment;
  experiment.id = "B1";
  experiment.title = "Elastic Gossip and Gossiping SGD over the communication probability";
  experiment.paper = "Pramod 2018, arXiv 1812.02407, table 1";
  experiment.columns = {OwnAccuracy(), LowestAccuracy(), AverageAccuracy(), Consensus(), Megabytes()};
  experiment.plot = {"averaged model over the probability of an exchange",
                     PlotSpec::Kind::kSettings, "average_accuracy", "p", "accuracy", true};
  for (const int workers : {4, 8}) {
    Cell cell;
    cell.workers = workers;
    cell.batch_size = static_cast<uint32_t>(128 / workers);
    cell.steps = 1200;
    cell.optimizer = Nesterov(0.001, 0.99);
    for (const char* const name : {"allreduce_sgd", "none"}) {
      cell.algorithm = name;
      cell.label = absl::StrCat(name, " n=", workers);
      cell.series = "";
      experiment.cells.push_back(cell);
    }
    for (const char* const name : {"elastic_gossip", "gossiping_sgd"}) {
      for (const int rarity : {8, 32, 128, 512}) {
        cell.algorithm = absl::StrCat(name, ":p=", 1.0 / rarity);
        cell.series = absl::StrCat(name, " n=", workers);
        cell.label = absl::StrCat(name, " n=", workers, " p=1/", rarity);
        cell.x = 1.0 / rarity;
        experiment.cells.push_back(cell);
      }
    }
  }
  return experiment;
}

}  // namespace starling
