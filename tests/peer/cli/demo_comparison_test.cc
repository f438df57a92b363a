#include "peer/cli/demo_comparison.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "peer/cli/json_output.h"
#include "tests/peer/cli/status_samples.h"

namespace starling {
namespace {

DemoReport RunOf(const std::string& algorithm, double averaged) {
  DemoReport report;
  report.options.algorithm = algorithm;
  report.wall_time = absl::Seconds(9);
  report.peers = {RunningPeer("p0", FinishedWith(0.86)), RunningPeer("p1", FinishedWith(0.88))};
  for (DemoPeer& peer : report.peers) {
    peer.status.mutable_training()->set_waiting_time_share(0.125);
  }
  report.averaged.emplace().set_test_accuracy(averaged);
  return report;
}

DemoReport TimedOut(const std::string& algorithm) {
  DemoReport report = RunOf(algorithm, 0);
  report.averaged.reset();
  report.outcome = DemoOutcome::kTimedOut;
  report.reason = "the time was up after 170.0 s";
  return report;
}

TEST(DemoComparisonTest, TheTableHasARowForEachRunAndThenTheProblems) {
  const std::string text = RenderComparedRuns(
      {RunOf("none", 0.5), RunOf("allreduce_sgd:resync=50", 0.9), RunOf("sgp", 0.91),
       TimedOut("lsgd"), RefusedRun({.algorithm = "dpsgd"}, absl::InvalidArgumentError("no"))});
  EXPECT_EQ(text,
            "algorithm                averaged  lowest peer  below allreduce  sent/peer  seconds  "
            "waiting\n"
            "none                       0.5000       0.8600             40.0     2.0 MB      9.0   "
            "12.5 %\n"
            "allreduce_sgd:resync=50    0.9000       0.8600              0.0     2.0 MB      9.0   "
            "12.5 %\n"
            "sgp                        0.9100       0.8600             -1.0     2.0 MB      9.0   "
            "12.5 %\n"
            "lsgd                            -       0.8600                -     2.0 MB      9.0   "
            "12.5 %  timed out\n"
            "dpsgd                           -            -                -          -        -   "
            "     -  not started\n"
            "\n"
            "lsgd: timed out: the time was up after 170.0 s\n"
            "dpsgd: not started: no\n");
}

TEST(DemoComparisonTest, WithoutAllreduceThereIsNothingToBeBelow) {
  const DemoReport sgp = RunOf("sgp", 0.9);
  EXPECT_FALSE(PointsBelowAllreduce(sgp, {sgp}).has_value());
  EXPECT_FALSE(PointsBelowAllreduce(sgp, {sgp, TimedOut("allreduce_sgd")}).has_value());
  EXPECT_NEAR(*PointsBelowAllreduce(sgp, {sgp, RunOf("allreduce_sgd", 0.95)}), 5, 1e-9);
}

TEST(DemoComparisonTest, OneThatDidNotFinishMakesItOne) {
  EXPECT_EQ(ComparedExitCode({RunOf("a", 0.9), RunOf("b", 0.9)}), 0);
  EXPECT_EQ(ComparedExitCode({RunOf("a", 0.9), TimedOut("b"), RunOf("c", 0.9)}), 1);
  EXPECT_EQ(ComparedExitCode({RefusedRun({}, absl::InvalidArgumentError("no"))}), 1);
}

TEST(DemoComparisonTest, ASignalOutweighsWhatDidNotFinish) {
  DemoReport stopped = TimedOut("b");
  stopped.outcome = DemoOutcome::kInterrupted;
  stopped.signal = 2;
  EXPECT_EQ(ComparedExitCode({TimedOut("a"), stopped}), 130);
}

TEST(DemoComparisonTest, TheLineOfARunIsItsResultOrItsFirstProblem) {
  EXPECT_EQ(ComparedLine(RunOf("a", 0.9)), "0.9000 averaged, lowest 0.8600, 9.0 s");
  EXPECT_EQ(ComparedLine(TimedOut("a")), "timed out: the time was up after 170.0 s");
}

TEST(DemoComparisonTest, TheCentreIsNoPeerToBeCounted) {
  DemoReport report = RunOf("easgd", 0.9);
  DemoPeer centre = RunningPeer("centre", FinishedWith(0.1));
  centre.centre = true;
  centre.status.mutable_gossip()->set_bytes_sent(90'000'000);
  report.peers.push_back(centre);
  EXPECT_EQ(BytesSentPerWorker(report), 2'000'000);
  EXPECT_EQ(WaitingShare(report), 0.125);
  EXPECT_EQ(*LowestAccuracy(report), 0.86);
}

TEST(DemoComparisonTest, ProgramsGetEveryRunInFull) {
  const auto json = nlohmann::json::parse(
      ComparedJson({RunOf("allreduce_sgd", 0.9), RunOf("sgp", 0.88), TimedOut("lsgd")}, 1));
  EXPECT_EQ(json["exit_code"], 1);
  ASSERT_EQ(json["runs"].size(), 3u);
  EXPECT_EQ(json["runs"][1]["algorithm"], "sgp");
  EXPECT_NEAR(json["runs"][1]["points_below_allreduce"], 2, 1e-9);
  EXPECT_EQ(json["runs"][1]["bytes_sent_per_peer"], 2e6);
  EXPECT_EQ(json["runs"][1]["waiting_time_share"], 0.125);
  EXPECT_EQ(json["runs"][2]["outcome"], "timed out");
  EXPECT_TRUE(json["runs"][2]["points_below_allreduce"].is_null());
}

}  // namespace
}  // namespace starling
