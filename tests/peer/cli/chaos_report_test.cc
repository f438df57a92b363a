#include "peer/cli/chaos_report.h"

#include <nlohmann/json.hpp>

#include "gtest/gtest.h"

namespace starling {
namespace {

ChaosRun RunThatDied(std::optional<double> dead) {
  ChaosRun run;
  run.figures = {.next_exchange = 0.5, .suspected = 0.25, .dead = dead, .one_view = dead,
                 .one_model = 0, .longest_pause = 0.12, .longest_pause_before = 0.1,
                 .step_time = 0.05, .steps_lost = 1, .wrongly_suspected = 2};
  run.accuracy = 0.8;
  return run;
}

ChaosReport Report() {
  ChaosReport report = {.peers = 4, .preset = "fast", .seed = 7, .steps_per_second = 20};
  std::vector<ChaosEvent> events = AllChaosEvents(absl::Seconds(20), 1);
  report.rows = {{.event = events[0],
                  .runs = {RunThatDied(3), RunThatDied(1), RunThatDied(2)},
                  .undisturbed = {0.81, 0.82, 0.83}},
                 {.event = events[3], .skipped = "needs root, to make network namespaces"}};
  return report;
}

std::optional<double> Dead(const ChaosRun& run) { return run.figures.dead; }

TEST(ChaosReportTest, MedianIsTheMiddleOfTheRuns) {
  EXPECT_EQ(MedianTime({RunThatDied(3), RunThatDied(1), RunThatDied(2)}, Dead), 2);
  EXPECT_EQ(MedianTime({RunThatDied(3), RunThatDied(1)}, Dead), 2);
  EXPECT_FALSE(MedianTime({}, Dead));
}

TEST(ChaosReportTest, WhatMostlyDidNotHappenIsNever) {
  EXPECT_EQ(MedianTime({RunThatDied(3), RunThatDied(std::nullopt), RunThatDied(2)}, Dead), 3);
  EXPECT_FALSE(
      MedianTime({RunThatDied(std::nullopt), RunThatDied(std::nullopt), RunThatDied(2)}, Dead));
  EXPECT_FALSE(MedianTime({RunThatDied(std::nullopt), RunThatDied(2)}, Dead));
}

TEST(ChaosReportTest, TableShowsMediansAndSaysLoudlyWhatWasSkipped) {
  const std::string text = RenderChaos(Report());
  EXPECT_NE(text.find("median of 3 runs from seed 7"), std::string::npos) << text;
  EXPECT_NE(text.find("2.00 s"), std::string::npos) << text;
  EXPECT_NE(text.find("2 / 0"), std::string::npos) << text;
  EXPECT_NE(text.find("0.8200"), std::string::npos) << text;
  EXPECT_NE(text.find("partition 20 s SKIPPED: needs root"), std::string::npos) << text;
}

TEST(ChaosReportTest, ExitCodeTellsFailedRunsAndSignals) {
  ChaosReport report = Report();
  EXPECT_EQ(ChaosExitCode(report), 0) << "what is skipped has not failed";
  report.rows[0].problems = {"p1: exit code 70, which nobody asked for"};
  EXPECT_EQ(ChaosExitCode(report), 70);
  EXPECT_NE(RenderChaos(report).find("kill -9 FAILED: p1: exit code 70"), std::string::npos);
  report.signal = 2;
  EXPECT_EQ(ChaosExitCode(report), 130);
}

TEST(ChaosReportTest, JsonHoldsEveryRunAndNullForNever) {
  ChaosReport report = Report();
  report.rows[0].runs[0].figures.dead.reset();
  const nlohmann::json json = nlohmann::json::parse(ChaosJson(report, 0));
  EXPECT_EQ(json["peers"], 4);
  const nlohmann::json& kill = json["faults"][0];
  EXPECT_EQ(kill["event"], "kill");
  EXPECT_EQ(kill["runs"].size(), 3);
  EXPECT_TRUE(kill["runs"][0]["dead"].is_null());
  EXPECT_EQ(kill["median"]["dead"], 2);
  EXPECT_TRUE(kill["skipped"].is_null());
  EXPECT_EQ(json["faults"][1]["skipped"], "needs root, to make network namespaces");
}

}  // namespace
}  // namespace starling
