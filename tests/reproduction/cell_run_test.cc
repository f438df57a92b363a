#include "tests/reproduction/cell_run.h"

#include <cmath>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/reproduction/experiments.h"
#include "tests/reproduction/fashion.h"
#include "tests/reproduction/report.h"
#include "tests/reproduction/runner.h"
#include "tests/reproduction/settings.h"

namespace starling {
namespace {

const TrainAndTest& Data() {
  static const auto* const data = new TrainAndTest(*LoadReproductionData(/*synthetic=*/true));
  return *data;
}

Cell Tiny(const std::string& algorithm) {
  Cell cell;
  cell.label = algorithm;
  cell.algorithm = algorithm;
  cell.workers = 3;
  cell.examples = 300;
  cell.batch_size = 4;
  cell.steps = 40;
  cell.optimizer = Sgd(0.01);
  return cell;
}

ExperimentResults RunTiny(int threads, std::vector<uint64_t> seeds = {1, 2}) {
  Experiment experiment;
  experiment.id = "T";
  experiment.cells = {Tiny("elastic_gossip:p=0.5"), Tiny("local_sgd:tau=8"), Tiny("easgd:tau=4")};
  experiment.columns = {AverageAccuracy()};
  RunnerOptions options;
  options.seeds = std::move(seeds);
  options.threads = threads;
  return RunExperiment(experiment, Data(), options);
}

TEST(CellRunTest, TheSameSeedsGiveTheSameBytesHoweverManyRunAtOnce) {
  const ExperimentResults one = RunTiny(1);
  const ExperimentResults again = RunTiny(3);
  EXPECT_EQ(MetricsCsv(one), MetricsCsv(again));
  EXPECT_EQ(CurvesCsv(one), CurvesCsv(again));
  EXPECT_EQ(SvgOf(one), SvgOf(again));
}

TEST(CellRunTest, AnotherSeedGivesAnotherCourse) {
  EXPECT_NE(CurvesCsv(RunTiny(2, {1})), CurvesCsv(RunTiny(2, {2})));
}

TEST(CellRunTest, WorkersMakeTheirStepsAndLearn) {
  const auto result = RunCell(Tiny("elastic_gossip:p=0.5"), 1, Data());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->Metric("steps"), 40);
  EXPECT_GT(result->Metric("average_accuracy"), 0.5);
  EXPECT_GT(result->Metric("exchanges"), 0);
  EXPECT_GE(result->Metric("own_accuracy"), result->Metric("own_accuracy_min"));
  ASSERT_GE(result->curve.size(), 10);
  EXPECT_LT(result->curve.back().average_loss, result->curve.front().average_loss);
}

TEST(CellRunTest, ACentreIsMeasuredButIsNoWorker) {
  const auto with = RunCell(Tiny("easgd:tau=4"), 1, Data());
  ASSERT_TRUE(with.ok()) << with.status();
  EXPECT_EQ(with->Metric("steps"), 40);
  EXPECT_GT(with->Metric("centre_accuracy"), 0.3);
  const auto without = RunCell(Tiny("none"), 1, Data());
  ASSERT_TRUE(without.ok()) << without.status();
  EXPECT_TRUE(std::isnan(without->Metric("centre_accuracy")));
}

TEST(CellRunTest, WorkersInStepEndEqualAndSendMoreThanThoseThatDoNotTalk) {
  const auto together = RunCell(Tiny("allreduce_sgd"), 1, Data());
  const auto alone = RunCell(Tiny("none"), 1, Data());
  ASSERT_TRUE(together.ok() && alone.ok());
  EXPECT_LT(together->Metric("consensus"), 1e-3);
  EXPECT_GT(alone->Metric("consensus"), 1e-2);
  EXPECT_GT(together->Metric("megabytes"), alone->Metric("megabytes"));
}

TEST(CellRunTest, ABadSettingIsRefused) {
  EXPECT_EQ(RunCell(Tiny("elastic_gossip:alpha=2"), 1, Data()).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(ExperimentsTest, AreFoundByNameAndTheirCellsHaveDistinctLabels) {
  const auto two = ExperimentsNamed("B17,B1");
  ASSERT_TRUE(two.ok());
  EXPECT_EQ(two->front().id, "B17");
  EXPECT_EQ(ExperimentsNamed("B99").status().code(), absl::StatusCode::kInvalidArgument);
  for (const Experiment& experiment : AllExperiments()) {
    std::set<std::string> labels;
    for (const Cell& cell : experiment.cells) {
      EXPECT_TRUE(labels.insert(cell.label).second) << experiment.id << " " << cell.label;
    }
    EXPECT_FALSE(experiment.columns.empty()) << experiment.id;
  }
}

}  // namespace
}  // namespace starling
