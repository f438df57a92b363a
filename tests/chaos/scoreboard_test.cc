// `starling chaos` as a program, with real daemons.

#include <stdlib.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "peer/cli/child_process.h"
#include "peer/cli/temp_directory.h"
#include "tests/common/eventually.h"
#include "tests/common/from_outside.h"

namespace starling {
namespace {

std::vector<pid_t> ChildrenOf(pid_t pid) {
  std::vector<pid_t> children;
  std::ifstream file(absl::StrCat("/proc/", pid, "/task/", pid, "/children"));
  for (pid_t child; file >> child;) children.push_back(child);
  return children;
}

class ScoreboardTest : public testing::Test {
 protected:
  ScoreboardTest() {
    setenv("STARLING_PEERD", std::filesystem::absolute("peer/peerd").c_str(), 1);
    setenv("STARLING_COORDINATORD",
           std::filesystem::absolute("coordinator/coordinatord").c_str(), 1);
    temp_ = directory_.path() + "/tmp";
    std::filesystem::create_directory(temp_);
    setenv("TMPDIR", temp_.c_str(), 1);
  }
  ~ScoreboardTest() override { unsetenv("TMPDIR"); }

  ChildProcess Start(const std::string& flags, const std::string& user = "") {
    auto child = ChildProcess::Spawn(
        {.program = "/bin/sh",
         .arguments = {"-c", absl::StrCat("exec ", user,
                                          " peer/cli/starling chaos --data=synthetic ", flags,
                                          " >", Out(), " 2>", Err())},
         .log_path = directory_.path() + "/shell"});
    EXPECT_TRUE(child.ok()) << child.status();
    return *std::move(child);
  }

  int ExitCode(ChildProcess& child) {
    EXPECT_TRUE(Eventually([&] { return !child.running(); }, absl::Minutes(8))) << Content(Err());
    return child.Kill().code;
  }

  std::string Out() const { return directory_.path() + "/out"; }
  std::string Err() const { return directory_.path() + "/err"; }
  std::string Said() const { return Content(Out()) + Content(Err()); }

  TempDirectory directory_ = *TempDirectory::Create("scoreboard-test-");
  std::string temp_;
};

TEST_F(ScoreboardTest, KillingAPeerIsMeasuredAndNothingStaysBehind) {
  ChildProcess chaos = Start("--peers=3 --events=kill --output=json");
  ASSERT_EQ(ExitCode(chaos), 0) << Said();
  const auto json = nlohmann::json::parse(Content(Out()));
  ASSERT_EQ(json["faults"].size(), 1u);
  const auto& kill = json["faults"][0];
  ASSERT_EQ(kill["runs"].size(), 1u) << Said();
  for (const char* figure : {"next_exchange", "suspected", "dead", "one_view"}) {
    EXPECT_TRUE(kill["median"][figure].is_number()) << figure << Said();
  }
  EXPECT_GE(kill["median"]["dead"], kill["median"]["suspected"]);
  EXPECT_GT(kill["runs"][0]["step_time"], 0);
  EXPECT_GT(kill["runs"][0]["longest_pause"], 0);
  EXPECT_EQ(kill["undisturbed_test_accuracy"].size(), 1u);
  EXPECT_TRUE(std::filesystem::is_empty(temp_));
}

TEST_F(ScoreboardTest, CtrlCEndsEverythingAndShowsWhatThereIs) {
  ChildProcess chaos = Start("--peers=3 --events=kill,join");
  std::vector<pid_t> children;
  ASSERT_TRUE(Eventually([&] {
    children = ChildrenOf(chaos.pid());
    return children.size() == 4;
  }, absl::Minutes(8))) << Said();
  chaos.Signal(SIGINT);
  EXPECT_EQ(ExitCode(chaos), 130) << Said();
  EXPECT_TRUE(absl::StrContains(Content(Out()), "stopped early by signal 2")) << Said();
  for (pid_t child : children) EXPECT_NE(kill(child, 0), 0) << "a daemon lives on";
  EXPECT_TRUE(std::filesystem::is_empty(temp_));
}

TEST_F(ScoreboardTest, WithoutTheRightToMakeNamespacesTheRowsOfTheNetworkAreSkippedLoudly) {
  if (getuid() != 0) GTEST_SKIP() << "needs root, to give it up";
  for (const std::string& path : {directory_.path(), temp_}) {
    std::filesystem::permissions(path, std::filesystem::perms::all);
  }
  ChildProcess chaos = Start("--peers=3 --events=partition,loss",
                             "setpriv --no-new-privs --bounding-set=-all --inh-caps=-all");
  EXPECT_EQ(ExitCode(chaos), 0) << Said();
  EXPECT_TRUE(absl::StrContains(Content(Out()), "packet loss 10 % SKIPPED: needs root")) << Said();
  EXPECT_TRUE(absl::StrContains(Content(Err()), "SKIPPED")) << Said();
}

TEST_F(ScoreboardTest, PartitionIsNoticedAndHeals) {
  if (getuid() != 0) GTEST_SKIP() << "needs root, to make network namespaces";
  ChildProcess chaos = Start("--peers=4 --events=partition --partition=12s --output=json");
  ASSERT_EQ(ExitCode(chaos), 0) << Said();
  const auto json = nlohmann::json::parse(Content(Out()));
  const auto& partition = json["faults"][0];
  if (!partition["skipped"].is_null()) {
    GTEST_SKIP() << partition["skipped"].get<std::string>();
  }
  for (const char* figure : {"suspected", "dead", "one_view"}) {
    EXPECT_TRUE(partition["median"][figure].is_number()) << figure << Said();
  }
}

TEST_F(ScoreboardTest, WrongUsageIsRefusedWithARemedy) {
  for (const auto& [flags, word] : std::vector<std::pair<std::string, std::string>>{
           {"--events=killl", "did you mean \"kill\""},
           {"--peers=2", "takes 3 or more"},
           {"--runs=0", "takes 1 to 100"},
           {"--preset=quick", "known: fast, lan, wan"},
           {"--partition=0s", "takes 1s to 10m"}}) {
    ChildProcess chaos = Start(flags);
    EXPECT_EQ(ExitCode(chaos), 64) << Said();
    EXPECT_TRUE(absl::StrContains(Said(), word)) << Said();
  }
}

}  // namespace
}  // namespace starling
