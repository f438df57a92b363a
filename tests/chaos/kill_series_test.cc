// A small dose of //tests/chaos:kill_every_ten_seconds.

#include "tests/chaos/kill_series.h"

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "peer/cli/temp_directory.h"

namespace starling {
namespace {

std::string Runfile(const std::string& path) {
  return absl::StrCat(std::getenv("TEST_SRCDIR"), "/", std::getenv("TEST_WORKSPACE"), "/", path);
}

TEST(KillSeriesTest, ThoseThatAreNotKilledTrainOnAndKeepNothingOfTheDead) {
  const TempDirectory temp = *TempDirectory::Create("kill-series-");
  const StopSignal stop;
  KillSeriesOptions options;
  options.swarm = {.demo = {.peers = 4,
                            .algorithm = "elastic_gossip:p=1/4",
                            .data = "synthetic",
                            .decay_share = 0,
                            .epochs = 0,
                            .pace = 20},
                   .paths = {.peerd = Runfile("peer/peerd"),
                             .coordinatord = Runfile("coordinator/coordinatord")},
                   .log_directory = temp.path(),
                   .work_directory = temp.path()};
  options.interval = absl::Seconds(4);
  options.quiet = absl::Seconds(8);
  const absl::StatusOr<KillSeriesReport> report = RunKillSeries(options, stop);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->kills, 4);
  EXPECT_GE(report->newcomers, 1);
  ASSERT_EQ(report->survivors.size(), 2);
  for (const KillSeriesReport::Survivor& survivor : report->survivors) {
    EXPECT_GT(survivor.steps, 50u) << survivor.name;
    EXPECT_GT(survivor.before.descriptors, 0) << survivor.name;
    // A few of those that died last may be open still.
    EXPECT_LE(survivor.after.descriptors, survivor.before.descriptors + 12) << survivor.name;
  }
  EXPECT_GT(report->accuracy, 0.2);
}

}  // namespace
}  // namespace starling
