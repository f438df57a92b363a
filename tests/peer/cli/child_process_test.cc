#include "peer/cli/child_process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <memory>
#include <string>

#include "peer/cli/stop_signal.h"
#include "peer/cli/temp_directory.h"
#include "tests/common/eventually.h"
#include "tests/common/from_outside.h"

namespace starling {
namespace {

class ChildProcessTest : public ::testing::Test {
 protected:
  absl::StatusOr<ChildProcess> Shell(const std::string& script) {
    return ChildProcess::Spawn(
        {.program = "/bin/sh", .arguments = {"-c", script}, .log_path = log_});
  }

  // Waits for the script to write a process id to the file "pid".
  pid_t AwaitPid() {
    EXPECT_TRUE(Eventually([&] { return !FirstLine(File("pid")).empty(); }));
    return std::stoi(FirstLine(File("pid")));
  }

  std::string File(const std::string& name) { return directory_.path() + "/" + name; }

  TempDirectory directory_ = *TempDirectory::Create("child-test-");
  std::string log_ = directory_.path() + "/log";
};

TEST_F(ChildProcessTest, TheEndOfAChildIsToldWithItsCode) {
  auto child = Shell("exit 66");
  ASSERT_TRUE(child.ok()) << child.status();
  ASSERT_TRUE(Eventually([&] { return !child->running(); }));
  EXPECT_EQ(child->Poll()->code, 66);
  EXPECT_EQ(child->Poll()->ToString(), "exit code 66");
}

TEST_F(ChildProcessTest, ASignalIsToldByName) {
  auto child = Shell("kill -SEGV $$");
  ASSERT_TRUE(child.ok());
  ASSERT_TRUE(Eventually([&] { return !child->running(); }));
  EXPECT_EQ(child->Poll()->signal, SIGSEGV);
  EXPECT_EQ(child->Poll()->ToString(), "signal 11 (Segmentation fault)");
}

TEST_F(ChildProcessTest, BothOutputsGoToTheLog) {
  auto child = Shell("echo out; echo err >&2");
  ASSERT_TRUE(child.ok());
  ASSERT_TRUE(Eventually([&] { return !child->running(); }));
  EXPECT_EQ(LastLines(log_, 10), (std::vector<std::string>{"out", "err"}));
  EXPECT_EQ(LastLines(log_, 1), std::vector<std::string>{"err"});
}

TEST_F(ChildProcessTest, AMissingProgramIsAnErrorNotAChild) {
  const auto child = ChildProcess::Spawn({.program = "/nonexistent/peerd", .log_path = log_});
  EXPECT_TRUE(absl::IsNotFound(child.status())) << child.status();
}

TEST_F(ChildProcessTest, AFileThatIsNoProgramIsAnError) {
  std::ofstream(File("text")) << "x";
  const auto child = ChildProcess::Spawn({.program = File("text"), .log_path = log_});
  EXPECT_TRUE(absl::IsPermissionDenied(child.status())) << child.status();
}

TEST_F(ChildProcessTest, AnUnwritableLogIsAnError) {
  const auto child = ChildProcess::Spawn({.program = "/bin/true", .log_path = "/nonexistent/log"});
  EXPECT_TRUE(absl::IsNotFound(child.status())) << child.status();
}

TEST_F(ChildProcessTest, TheDestructorKillsTheChildAndItsChildren) {
  auto child = std::make_unique<absl::StatusOr<ChildProcess>>(
      Shell("sleep 1000 & echo $! > " + File("pid") + "; wait"));
  ASSERT_TRUE(child->ok());
  const pid_t pid = (*child)->pid();
  const pid_t grandchild = AwaitPid();
  EXPECT_FALSE(IsGone(pid));
  child.reset();
  EXPECT_TRUE(Eventually([&] { return IsGone(pid) && IsGone(grandchild); }));
}

TEST_F(ChildProcessTest, AChildDiesWithItsParentEvenIfThatIsKilled) {
  // A process that spawns and then is killed before it can clean up anything.
  const pid_t middle = fork();
  ASSERT_GE(middle, 0);
  if (middle == 0) {
    auto child = Shell("echo $$ > " + File("pid") + "; exec sleep 1000");
    while (true) pause();
  }
  const pid_t grandchild = AwaitPid();
  EXPECT_FALSE(IsGone(grandchild));
  kill(middle, SIGKILL);
  waitpid(middle, nullptr, 0);
  EXPECT_TRUE(Eventually([&] { return IsGone(grandchild); }));
}

TEST_F(ChildProcessTest, StopAsksFirstAndKillsWhoDoesNotListen) {
  auto polite = Shell("trap 'exit 0' TERM; touch " + File("a") + "; while :; do sleep 0.01; done");
  auto deaf = Shell("trap '' TERM; touch " + File("b") + "; while :; do sleep 0.01; done");
  ASSERT_TRUE(polite.ok() && deaf.ok());
  ASSERT_TRUE(Eventually([&] {
    return access(File("a").c_str(), F_OK) == 0 && access(File("b").c_str(), F_OK) == 0;
  }));
  const auto killed =
      StopProcesses({&*polite, &*deaf}, absl::Seconds(1), [] { return false; });
  EXPECT_EQ(killed, (std::vector<bool>{false, true}));
  EXPECT_TRUE(polite->Poll()->ok());
  EXPECT_EQ(deaf->Poll()->signal, SIGKILL);
}

TEST_F(ChildProcessTest, AHurriedStopKillsAtOnce) {
  auto deaf = Shell("trap '' TERM; touch " + File("b") + "; while :; do sleep 0.01; done");
  ASSERT_TRUE(deaf.ok());
  ASSERT_TRUE(Eventually([&] { return access(File("b").c_str(), F_OK) == 0; }));
  EXPECT_EQ(StopProcesses({&*deaf}, absl::InfiniteDuration(), [] { return true; }),
            std::vector<bool>{true});
}

TEST_F(ChildProcessTest, AMovedChildIsStillOwnedOnce) {
  auto child = Shell("sleep 1000");
  ASSERT_TRUE(child.ok());
  const pid_t pid = child->pid();
  {
    ChildProcess moved = *std::move(child);
    EXPECT_EQ(moved.pid(), pid);
    EXPECT_TRUE(moved.running());
  }
  EXPECT_TRUE(Eventually([&] { return IsGone(pid); }));
}

TEST(StopSignalTest, ASignalEndsTheSleepAndIsRemembered) {
  StopSignal stop;
  EXPECT_EQ(stop.number(), 0);
  raise(SIGTERM);
  raise(SIGINT);
  stop.Sleep(absl::Hours(1));
  EXPECT_EQ(stop.number(), SIGTERM);
  EXPECT_EQ(stop.count(), 2);
  EXPECT_EQ(ExitCodeForSignal(stop.number()), 143);
}

TEST(StopSignalTest, TheNextOneStartsAnew) {
  {
    StopSignal stop;
    raise(SIGINT);
  }
  StopSignal stop;
  EXPECT_EQ(stop.number(), 0);
}

TEST(TempDirectoryTest, DisappearsWithAllThatIsInIt) {
  std::string path;
  {
    auto directory = TempDirectory::Create("temp-test-");
    ASSERT_TRUE(directory.ok());
    path = directory->path();
    ASSERT_TRUE(MakeDirectories(path + "/a/b").ok());
    std::ofstream(path + "/a/b/file") << "x";
  }
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

TEST(TempDirectoryTest, APlaceThatCannotBeWrittenIsNamed) {
  const absl::Status status = MakeDirectories("/proc/nothing/here");
  EXPECT_TRUE(absl::IsPermissionDenied(status));
  EXPECT_NE(status.message().find("/proc/nothing/here"), absl::string_view::npos);
}

}  // namespace
}  // namespace starling
