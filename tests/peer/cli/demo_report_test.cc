#include "peer/cli/demo_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "peer/cli/json_output.h"
#include "tests/peer/cli/status_samples.h"

namespace starling {
namespace {

v1::EvaluateAverageResponse Averaged(double accuracy) {
  v1::EvaluateAverageResponse averaged;
  averaged.set_test_accuracy(accuracy);
  averaged.set_consensus_distance(0.5);
  averaged.add_peer_ids("00000000000000aa");
  return averaged;
}

DemoReport GoodReport() {
  DemoReport report;
  report.wall_time = absl::Seconds(12);
  report.peers = {RunningPeer("p0", FinishedWith(0.86)), RunningPeer("p1", FinishedWith(0.88))};
  report.averaged = Averaged(0.89);
  return report;
}

DemoReport ChurnReport() {
  DemoReport report = GoodReport();
  report.options.churn = true;
  DemoPeer killed = RunningPeer("p2", TrainingAt(40, 100));
  killed.running = false;
  killed.killed = true;
  killed.death =
      DeathReport{.state = "DEAD", .reason = "no answer for 2.0 s", .reported_by = "coordinator"};
  DemoPeer newcomer = RunningPeer("p3", FinishedWith(0.87));
  newcomer.newcomer = true;
  newcomer.first_step = 70;
  report.peers.push_back(killed);
  report.peers.push_back(newcomer);
  return report;
}

TEST(DemoReportTest, AGoodRunHasNoProblemsAndExitsWithZero) {
  EXPECT_TRUE(Problems(GoodReport()).empty());
  EXPECT_EQ(DemoExitCode(GoodReport()), 0);
  EXPECT_TRUE(Problems(ChurnReport()).empty());
  EXPECT_EQ(DemoExitCode(ChurnReport()), 0);
}

TEST(DemoReportTest, OutcomesHaveTheirDocumentedExitCodes) {
  DemoReport report = GoodReport();
  report.outcome = DemoOutcome::kTimedOut;
  EXPECT_EQ(DemoExitCode(report), 75);
  report.outcome = DemoOutcome::kNobodyLeft;
  EXPECT_EQ(DemoExitCode(report), 70);
  report.outcome = DemoOutcome::kInterrupted;
  report.signal = 2;
  EXPECT_EQ(DemoExitCode(report), 130);
  report.signal = 15;
  EXPECT_EQ(DemoExitCode(report), 143);
}

TEST(DemoReportTest, AFailedStartPassesOnTheDaemonsOwnCode) {
  DemoReport report;
  report.outcome = DemoOutcome::kNotStarted;
  for (const int code : {64, 65, 66, 69, 78}) {
    report.startup_exit_code = code;
    EXPECT_EQ(DemoExitCode(report), code);
  }
  for (const int other : {0, 1, 127}) {
    report.startup_exit_code = other;
    EXPECT_EQ(DemoExitCode(report), 69);
  }
}

TEST(DemoReportTest, WhatWentWrongIsNamedAndMakesItSeventy) {
  const auto problem = [](const DemoReport& report) {
    EXPECT_EQ(DemoExitCode(report), 70);
    EXPECT_EQ(Problems(report).size(), 1u);
    return Problems(report).empty() ? "" : Problems(report)[0];
  };
  DemoReport ended = GoodReport();
  ended.peers[1].failure = "signal 11 (Segmentation fault)";
  EXPECT_EQ(problem(ended), "p1 ended: signal 11 (Segmentation fault)");

  DemoReport coordinator = GoodReport();
  coordinator.coordinator_failure = "exit code 1";
  EXPECT_EQ(problem(coordinator), "the coordinator ended: exit code 1");

  DemoReport unevaluated = GoodReport();
  unevaluated.averaged.reset();
  unevaluated.averaged_error = "no peer is running";
  EXPECT_TRUE(absl::StrContains(problem(unevaluated), "no peer is running"));

  DemoReport unreported = ChurnReport();
  unreported.peers[2].death.reset();
  EXPECT_TRUE(absl::StrContains(problem(unreported), "p2 was killed"));

  DemoReport lost = ChurnReport();
  lost.peers.pop_back();
  EXPECT_EQ(problem(lost), "the newcomer could not be started");
}

TEST(DemoReportTest, APeerThatWasAskedToLeaveIsNoProblem) {
  DemoReport report = GoodReport();
  report.peers[1].status = TrainingAt(50, 100);
  report.peers[1].left = true;
  EXPECT_EQ(DemoExitCode(report), 0);
  EXPECT_TRUE(absl::StrContains(RenderReport(report), "left at step 50")) << RenderReport(report);
}

TEST(DemoReportTest, MeanAndLowestLeaveOutTheKilledPeer) {
  DemoReport report = ChurnReport();
  report.peers[2].status = FinishedWith(0.1);
  EXPECT_DOUBLE_EQ(*MeanAccuracy(report), 0.87);
  EXPECT_DOUBLE_EQ(*LowestAccuracy(report), 0.86);
  EXPECT_FALSE(MeanAccuracy(DemoReport()).has_value());
}

TEST(DemoReportTest, TheTableTellsEachPeersStory) {
  EXPECT_EQ(
      RenderReport(ChurnReport()),
      "peer  accuracy  steps  exchanges  answered    sent  received  state\n"
      "p0      0.8600    100         17        19  2.0 MB    3.0 MB  finished\n"
      "p1      0.8800    100         17        19  2.0 MB    3.0 MB  finished\n"
      "p2           -     40         17        19  2.0 MB    3.0 MB  killed at step 40, reported "
      "DEAD by coordinator: no answer for 2.0 s\n"
      "p3      0.8700    100         17        19  2.0 MB    3.0 MB  finished, joined at step 70\n"
      "\n"
      "averaged model  0.8900 over 1 peers, consensus distance 0.5000\n"
      "peers           mean 0.8700, lowest 0.8600 (3.0 points below the averaged model)\n"
      "traffic         8.0 MB in 12.0 s, algorithm elastic_gossip, seed 1\n");
}

TEST(DemoReportTest, WithoutExchangeTheVerdictSaysWhatTheAverageIsWorth) {
  DemoReport report = GoodReport();
  report.options.algorithm = "none";
  report.averaged = Averaged(0.42);
  EXPECT_TRUE(absl::StrContains(RenderReport(report), "45.0 points below their mean"))
      << RenderReport(report);
  EXPECT_FALSE(absl::StrContains(RenderReport(GoodReport()), "verdict"));
}

TEST(DemoReportTest, AFailedStartShowsTheReasonAndTheLogInsteadOfATable) {
  DemoReport report;
  report.outcome = DemoOutcome::kNotStarted;
  report.reason = "p0 ended before it trained: exit code 66";
  report.log_name = "p0";
  report.log_lines = {"cannot read /x/train-images"};
  EXPECT_EQ(RenderReport(report),
            "starling: not started: p0 ended before it trained: exit code 66\n"
            "last lines of the log of p0:\n"
            "  cannot read /x/train-images\n");
}

TEST(DemoReportTest, TheCentreCountsApart) {
  DemoReport report = GoodReport();
  DemoPeer centre = RunningPeer("centre", TrainingAt(0, 100));
  centre.centre = true;
  report.peers.push_back(centre);
  EXPECT_EQ(DemoExitCode(report), 0);
  const std::string text = RenderReport(report);
  EXPECT_TRUE(absl::StrContains(
      text, "\ncentre         -      -         17        19  2.0 MB    3.0 MB  holds the centre\n"))
      << text;
  report.peers[2].status = FinishedWith(0.5);
  report.peers[2].status.set_phase(v1::PHASE_TRAINING);
  EXPECT_DOUBLE_EQ(*LowestAccuracy(report), 0.86);
  EXPECT_TRUE(absl::StrContains(RenderReport(report), "\ncentre    0.5000"));
  report.peers[2].failure = "signal 11";
  EXPECT_EQ(DemoExitCode(report), 70);
}

TEST(DemoReportTest, RoundsHaveTheirColumnsWhereThereAreAny) {
  DemoReport report = GoodReport();
  EXPECT_FALSE(absl::StrContains(RenderReport(report), "rounds"));
  report.peers[0].status.mutable_rounds()->set_rounds_joined(13);
  report.peers[0].status.mutable_rounds()->set_rounds_complete(12);
  report.peers[0].status.mutable_training()->set_waiting_time_share(0.25);
  EXPECT_TRUE(absl::StartsWith(
      RenderReport(report),
      "peer  accuracy  steps  exchanges  answered  rounds  waiting    sent  received  state\n"
      "p0      0.8600    100         17        19      12   25.0 %  2.0 MB    3.0 MB  finished\n"))
      << RenderReport(report);
}

TEST(DemoReportTest, AComparisonSaysWhichIsBetterByHowMuch) {
  DemoReport none = GoodReport();
  none.options.algorithm = "none";
  none.averaged = Averaged(0.60);
  const std::string text = RenderComparison(GoodReport(), none);
  EXPECT_TRUE(absl::StrContains(
      text, "the averaged model of elastic_gossip is 29.0 points above that of none"))
      << text;
}

TEST(JsonOutputTest, TheDocumentHasTheDocumentedFields) {
  const auto json = nlohmann::json::parse(DemoJson(ChurnReport(), nullptr, 0));
  EXPECT_EQ(json["exit_code"], 0);
  EXPECT_EQ(json["outcome"], "finished");
  EXPECT_EQ(json["algorithm"], "elastic_gossip");
  EXPECT_EQ(json["run_id"], "00000000000000ff");
  EXPECT_DOUBLE_EQ(json["averaged"]["test_accuracy"], 0.89);
  EXPECT_DOUBLE_EQ(json["lowest_test_accuracy"], 0.86);
  EXPECT_EQ(json["bytes_sent"], 8'000'000);
  EXPECT_EQ(json["problems"].size(), 0u);
  ASSERT_EQ(json["peers"].size(), 4u);
  EXPECT_DOUBLE_EQ(json["peers"][0]["test_accuracy"], 0.86);
  EXPECT_TRUE(json["peers"][0]["killed"].is_null());
  EXPECT_TRUE(json["peers"][0]["joined_step"].is_null());
  EXPECT_EQ(json["peers"][2]["killed"]["at_step"], 40);
  EXPECT_EQ(json["peers"][2]["killed"]["reported_state"], "DEAD");
  EXPECT_EQ(json["peers"][2]["killed"]["reported_by"], "coordinator");
  EXPECT_TRUE(json["peers"][2]["test_accuracy"].is_null());
  EXPECT_EQ(json["peers"][3]["joined_step"], 70);
  EXPECT_FALSE(json.contains("comparison"));
}

TEST(JsonOutputTest, AComparisonCarriesTheOtherRunAndTheDifference) {
  DemoReport none = GoodReport();
  none.averaged = Averaged(0.60);
  const auto json = nlohmann::json::parse(DemoJson(GoodReport(), &none, 0));
  EXPECT_NEAR(json["comparison"]["difference"], 0.29, 1e-12);
  EXPECT_DOUBLE_EQ(json["comparison"]["run"]["averaged"]["test_accuracy"], 0.60);
}

TEST(JsonOutputTest, BytesThatAreNoTextDoNotBreakTheDocument) {
  DemoReport report = GoodReport();
  report.reason = "\xff\xfe";
  report.peers[0].status.mutable_training()->set_loss(std::numeric_limits<double>::quiet_NaN());
  const auto json = nlohmann::json::parse(DemoJson(report, nullptr, 0));
  EXPECT_TRUE(json["peers"][0]["loss"].is_null());
}

TEST(JsonOutputTest, MessagesKeepFieldNamesAndDefaults) {
  const auto json = nlohmann::json::parse(MessageJson(TrainingAt(5, 10)));
  EXPECT_EQ(json["training"]["total_steps"], "10");
  EXPECT_EQ(json["phase"], "PHASE_TRAINING");
  EXPECT_EQ(json["last_error"], "");
}

}  // namespace
}  // namespace starling
