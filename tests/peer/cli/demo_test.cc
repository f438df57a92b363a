// `starling demo` as a program, with stand-ins for the daemons.

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "peer/cli/child_process.h"
#include "peer/cli/temp_directory.h"
#include "tests/common/eventually.h"
#include "tests/common/from_outside.h"

namespace starling {
namespace {

// Seen from the directory that Bazel runs tests in.
constexpr char kStarling[] = "peer/cli/starling";
constexpr char kFakeDaemon[] = "tests/peer/cli/fake_daemon";

class DemoTest : public ::testing::Test {
 protected:
  DemoTest() {
    const std::string fake = std::filesystem::absolute(kFakeDaemon);
    setenv("STARLING_PEERD", fake.c_str(), 1);
    setenv("STARLING_COORDINATORD", fake.c_str(), 1);
    setenv("STARLING_FAKE", "", 1);
    temp_ = directory_.path() + "/tmp";
    std::filesystem::create_directory(temp_);
    setenv("TMPDIR", temp_.c_str(), 1);
  }

  ~DemoTest() override { unsetenv("TMPDIR"); }

  void Fake(const std::string& mode) { setenv("STARLING_FAKE", mode.c_str(), 1); }

  // Starts the demo; its stdout goes to "out", its stderr to "err".
  ChildProcess Start(const std::string& flags) {
    auto child = ChildProcess::Spawn(
        {.program = "/bin/sh",
         .arguments = {"-c", "exec " + std::string(kStarling) + " demo " + flags + " >" + Out() +
                                 " 2>" + Err()},
         .log_path = directory_.path() + "/shell"});
    EXPECT_TRUE(child.ok()) << child.status();
    return *std::move(child);
  }

  int ExitCode(ChildProcess& demo) {
    EXPECT_TRUE(Eventually([&] { return !demo.running(); }));
    const ProcessEnd end = demo.Kill();
    EXPECT_EQ(end.signal, 0) << Content(Out()) << Content(Err());
    return end.code;
  }

  int RunDemo(const std::string& flags) {
    ChildProcess demo = Start(flags);
    return ExitCode(demo);
  }

  // The process ids that the fake peers wrote, once there are `count`.
  std::vector<pid_t> AwaitPeers(size_t count) {
    std::vector<pid_t> pids;
    EXPECT_TRUE(Eventually([&] {
      pids.clear();
      std::error_code gone;
      for (const auto& entry : std::filesystem::recursive_directory_iterator(temp_, gone)) {
        pid_t pid = 0;
        if (entry.path().extension() == ".pid") std::ifstream(entry.path()) >> pid;
        if (pid != 0) pids.push_back(pid);
      }
      return pids.size() == count;
    }));
    return pids;
  }

  bool TempIsEmpty() { return std::filesystem::is_empty(temp_); }
  std::string Out() const { return directory_.path() + "/out"; }
  std::string Err() const { return directory_.path() + "/err"; }

  TempDirectory directory_ = *TempDirectory::Create("demo-test-");
  std::string temp_;
};

TEST_F(DemoTest, AGoodRunEndsWithTheTableAndLeavesNothingBehind) {
  ASSERT_EQ(RunDemo("--peers=2"), 0) << Content(Out()) << Content(Err());
  const std::string out = Content(Out());
  EXPECT_TRUE(absl::StrContains(out, "averaged model  0.9000")) << out;
  EXPECT_TRUE(absl::StrContains(out, "p1      0.8800    100         10")) << out;
  EXPECT_FALSE(absl::StrContains(out, "\x1b")) << out;
  EXPECT_TRUE(TempIsEmpty());
}

TEST_F(DemoTest, ChurnKillsOneAddsOneAndTellsWhatTheSwarmSaid) {
  ASSERT_EQ(RunDemo("--peers=3 --churn --output=json"), 0) << Content(Out()) << Content(Err());
  const auto json = nlohmann::json::parse(Content(Out()));
  ASSERT_EQ(json["peers"].size(), 4u);
  const auto& killed = json["peers"][2]["killed"];
  EXPECT_GE(killed["at_step"], 30);
  EXPECT_EQ(killed["reported_state"], "DEAD");
  EXPECT_EQ(killed["reason"], "no answer for 1.0 s");
  EXPECT_EQ(killed["reported_by"], "coordinator");
  EXPECT_TRUE(json["peers"][3]["newcomer"]);
  EXPECT_EQ(json["peers"][3]["exchanges_committed"], 10);
  EXPECT_EQ(json["exit_code"], 0);
}

TEST_F(DemoTest, AComparisonRunsTwice) {
  ASSERT_EQ(RunDemo("--peers=1 --compare=none --output=json"), 0)
      << Content(Out()) << Content(Err());
  const auto json = nlohmann::json::parse(Content(Out()));
  EXPECT_EQ(json["comparison"]["run"]["algorithm"], "none");
  EXPECT_EQ(json["comparison"]["difference"], 0.0);
}

TEST_F(DemoTest, AnAlgorithmWithACentreGetsAPeerThatHoldsIt) {
  ASSERT_EQ(RunDemo("--peers=2 --algorithm=easgd --output=json"), 0)
      << Content(Out()) << Content(Err());
  const auto json = nlohmann::json::parse(Content(Out()));
  ASSERT_EQ(json["peers"].size(), 3u);
  EXPECT_EQ(json["peers"][1]["centre"], false);
  EXPECT_EQ(json["peers"][2]["name"], "centre");
  EXPECT_EQ(json["peers"][2]["centre"], true);
  EXPECT_EQ(json["peers"][2]["step"], 0);
}

TEST_F(DemoTest, WithACentreTheLastWorkerIsKilledAndTheNewcomerIsNamedAsWithout) {
  ASSERT_EQ(RunDemo("--peers=2 --algorithm=easgd --churn --output=json"), 0)
      << Content(Out()) << Content(Err());
  const auto json = nlohmann::json::parse(Content(Out()));
  ASSERT_EQ(json["peers"].size(), 4u);
  EXPECT_FALSE(json["peers"][1]["killed"].is_null());
  EXPECT_TRUE(json["peers"][2]["killed"].is_null());
  EXPECT_EQ(json["peers"][3]["name"], "p2");
}

TEST_F(DemoTest, AListIsComparedInOneTable) {
  ASSERT_EQ(RunDemo("--peers=1 --algorithm=lsgd --compare=sgp,none"), 0)
      << Content(Out()) << Content(Err());
  const std::string out = Content(Out());
  const size_t table = out.find("algorithm  averaged");
  ASSERT_NE(table, std::string::npos) << out;
  const size_t none = out.find("\nnone ", table);
  const size_t lsgd = out.find("\nlsgd ", table);
  const size_t sgp = out.find("\nsgp ", table);
  EXPECT_LT(none, lsgd) << out;
  EXPECT_LT(lsgd, sgp) << out;
  EXPECT_TRUE(absl::StrContains(out, "[3 of 3] sgp: 0.9000 averaged")) << out;
  EXPECT_FALSE(absl::StrContains(out, "averaged model")) << out;
  EXPECT_TRUE(TempIsEmpty());
}

TEST_F(DemoTest, OneThatFailsDoesNotKeepTheOthersFromBeingCompared) {
  Fake("no_sgp");
  EXPECT_EQ(RunDemo("--peers=1 --algorithm=none --compare=sgp,osgp --output=json"), 1);
  const auto json = nlohmann::json::parse(Content(Out()));
  EXPECT_EQ(json["exit_code"], 1);
  ASSERT_EQ(json["runs"].size(), 3u);
  EXPECT_EQ(json["runs"][1]["outcome"], "not started");
  EXPECT_EQ(json["runs"][2]["algorithm"], "osgp");
  EXPECT_EQ(json["runs"][2]["outcome"], "finished");
}

TEST_F(DemoTest, AnInterruptedComparisonEndsWithWhatThereIs) {
  Fake("stuck");
  ChildProcess demo = Start("--peers=1 --algorithm=none --compare=sgp,osgp --output=json");
  AwaitPeers(1);
  kill(demo.pid(), SIGINT);
  EXPECT_EQ(ExitCode(demo), 130);
  EXPECT_EQ(nlohmann::json::parse(Content(Out()))["runs"].size(), 1u);
}

TEST_F(DemoTest, LogsAreKeptWhereAsked) {
  const std::string logs = directory_.path() + "/logs/here";
  ASSERT_EQ(RunDemo("--peers=1 --keep_logs=" + logs), 0) << Content(Err());
  EXPECT_TRUE(std::filesystem::exists(logs + "/run/p0.log"));
  EXPECT_TRUE(std::filesystem::exists(logs + "/run/coordinatord.log"));
}

TEST_F(DemoTest, LogsThatCannotBeKeptAreSeventyThree) {
  EXPECT_EQ(RunDemo("--keep_logs=/proc/nothing"), 73);
  EXPECT_TRUE(TempIsEmpty());
}

TEST_F(DemoTest, APeerThatCannotStartPassesItsCodeAndItsWordsOn) {
  Fake("no_data");
  EXPECT_EQ(RunDemo("--peers=2"), 66);
  EXPECT_TRUE(absl::StrContains(Content(Err()), ": peerd: cannot read /nowhere/train-images\n"))
      << Content(Err());
}

TEST_F(DemoTest, ACoordinatorThatCannotStartPassesItsCodeAndItsWordsOn) {
  Fake("bad_flag");
  EXPECT_EQ(RunDemo("--peers=2 --output=json"), 64);
  EXPECT_TRUE(absl::StrContains(Content(Err()), ": coordinatord: unknown model\n"))
      << Content(Err());
  EXPECT_EQ(nlohmann::json::parse(Content(Out()))["outcome"], "not started");
}

TEST_F(DemoTest, APeerThatCrashesIsReportedAndTheOthersFinish) {
  Fake("crash");
  EXPECT_EQ(RunDemo("--peers=2 --output=json"), 70);
  const auto json = nlohmann::json::parse(Content(Out()));
  EXPECT_EQ(json["outcome"], "finished");
  EXPECT_EQ(json["peers"][0]["failure"], "signal 6 (Aborted)");
  EXPECT_EQ(json["peers"][1]["step"], 100);
}

TEST_F(DemoTest, APeerThatIsAskedToLeaveIsReportedAsSuch) {
  Fake("patient");
  ChildProcess demo = Start("--peers=2 --output=json");
  const std::vector<pid_t> pids = AwaitPeers(2);
  ASSERT_TRUE(Eventually([&] { return absl::StrContains(Content(Err()), " %  peers 2"); }));
  kill(pids[0], SIGTERM);
  EXPECT_EQ(ExitCode(demo), 0) << Content(Out());
  const auto json = nlohmann::json::parse(Content(Out()));
  EXPECT_NE(json["peers"][0]["left"], json["peers"][1]["left"]);
}

TEST_F(DemoTest, TheTimeoutEndsItWithTheTableSoFar) {
  Fake("stuck");
  EXPECT_EQ(RunDemo("--peers=1 --timeout=2s"), 75);
  EXPECT_TRUE(absl::StrContains(Content(Out()), "problem         timed out")) << Content(Out());
}

TEST_F(DemoTest, APeerThatIgnoresSigtermIsKilledAndNamed) {
  Fake("deaf");
  EXPECT_EQ(RunDemo("--peers=1"), 70);
  EXPECT_TRUE(absl::StrContains(Content(Out()), "p0 ended: did not end within 5.0 s of SIGTERM"))
      << Content(Out());
}

TEST_F(DemoTest, InterruptingEndsEveryProcessAndTheDirectory) {
  for (const auto& [signal, exit_code] : std::vector<std::pair<int, int>>{
           {SIGINT, 130}, {SIGTERM, 143}}) {
    Fake("stuck");
    ChildProcess demo = Start("--peers=2");
    const std::vector<pid_t> pids = AwaitPeers(2);
    kill(demo.pid(), signal);
    EXPECT_EQ(ExitCode(demo), exit_code);
    for (const pid_t pid : pids) EXPECT_TRUE(IsGone(pid));
    EXPECT_TRUE(TempIsEmpty());
  }
}

TEST_F(DemoTest, NothingOutlivesADemoThatIsKilled) {
  Fake("stuck");
  ChildProcess demo = Start("--peers=2");
  const std::vector<pid_t> pids = AwaitPeers(2);
  kill(demo.pid(), SIGKILL);
  for (const pid_t pid : pids) EXPECT_TRUE(Eventually([&] { return IsGone(pid); }));
}

TEST_F(DemoTest, AMissingDaemonIsNamedWithTheRemedy) {
  setenv("STARLING_COORDINATORD", "/nonexistent/coordinatord", 1);
  EXPECT_EQ(RunDemo(""), 69);
  EXPECT_TRUE(absl::StrContains(Content(Err()), "STARLING_COORDINATORD names /nonexistent"))
      << Content(Err());
}

}  // namespace
}  // namespace starling
