#include "tests/reproduction/report.h"

#include <cmath>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace starling {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

CellResult ResultOf(double accuracy) {
  CellResult result;
  result.metrics = {{"average_accuracy", accuracy}};
  result.curve = {{.steps = 10, .seconds = 1, .average_loss = 2},
                  {.steps = 20, .seconds = 2, .average_loss = 1}};
  return result;
}

ExperimentResults TwoCells() {
  ExperimentResults results;
  results.experiment.id = "T";
  Cell cell;
  cell.label = "often";
  cell.algorithm = "elastic_gossip:p=1,tau=2";
  cell.series = "gossip";
  cell.x = 1;
  results.experiment.cells.push_back(cell);
  cell.label = "seldom";
  cell.x = 0.1;
  results.experiment.cells.push_back(cell);
  results.experiment.columns = {{"average_accuracy", "average %", 1, 100}};
  results.experiment.plot.metric = "average_accuracy";
  results.seeds = {1, 2};
  results.runs = {{ResultOf(0.8), ResultOf(0.9)}, {ResultOf(0.5), absl::InternalError("diverged")}};
  return results;
}

TEST(StatisticsTest, DeviationIsThatOfASampleAndSkipsWhatIsNoNumber) {
  const MeanAndDeviation summary = Summarize({1, 3, std::nan("")});
  EXPECT_EQ(summary.mean, 2);
  EXPECT_DOUBLE_EQ(summary.deviation, std::sqrt(2.0));
  EXPECT_EQ(summary.count, 2);
  EXPECT_EQ(Summarize({5}).deviation, 0);
  EXPECT_TRUE(std::isnan(Summarize({}).mean));
}

TEST(ReportTest, TheTableHasMeanAndDeviationAndNamesRunsThatFailed) {
  EXPECT_EQ(MarkdownTable(TwoCells()),
            "| setting | average % |\n"
            "|---|---|\n"
            "| often | 85.0 ± 7.1 |\n"
            "| seldom | 50.0 ± 0.0 |\n"
            "\nFailed: seldom, seed 2: diverged\n");
}

TEST(ReportTest, CsvIsLongAndQuotesCommas) {
  const std::string csv = MetricsCsv(TwoCells());
  EXPECT_THAT(csv, HasSubstr("T,often,\"elastic_gossip:p=1,tau=2\",4,1,average_accuracy,0.8\n"));
  EXPECT_THAT(csv, HasSubstr(",2,failed,1\n"));
  EXPECT_THAT(CurvesCsv(TwoCells()), HasSubstr("T,often,2,20,2,0,1,0,0\n"));
}

TEST(ReportTest, APlotOverSettingsJoinsTheCellsOfASeries) {
  ExperimentResults results = TwoCells();
  const std::string svg = SvgOf(results);
  EXPECT_THAT(svg, HasSubstr(">gossip</text>"));
  EXPECT_THAT(svg, Not(HasSubstr(">seldom</text>")));
  results.experiment.plot.kind = PlotSpec::Kind::kCourse;
  results.experiment.plot.metric = "average_loss";
  EXPECT_THAT(SvgOf(results), HasSubstr(">seldom</text>"));
}

}  // namespace
}  // namespace starling
