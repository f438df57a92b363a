#include "peer/runtime/failpoint.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace starling {
namespace {

TEST(FailpointTest, UnarmedPointsDoNothing) {
  EXPECT_TRUE(ArmFailpoint("").ok());
  Failpoint("exchange.reply_sent");
}

TEST(FailpointTest, NamesAreUniqueAndHaveARoom) {
  std::set<std::string> names;
  for (const FailpointRow& row : kFailpoints) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_TRUE(absl::StrContains(row.name, ".")) << row.name;
    EXPECT_STRNE(row.what, "") << row.name;
  }
}

TEST(FailpointTest, UnknownNamesAreRefusedWithAllThatThereAre) {
  const absl::Status refused = ArmFailpoint("exchange.reply_snet=kill");
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(refused.message(), "did you mean \"exchange.reply_sent\""));
  for (const FailpointRow& row : kFailpoints) {
    EXPECT_TRUE(absl::StrContains(refused.message(), row.name)) << row.name;
  }
}

TEST(FailpointTest, ActionsAndHitsThatMakeNoSenseAreRefused) {
  for (const char* spec :
       {"round.begun", "round.begun=", "round.begun=die", "round.begun=kill:3",
        "round.begun=kill:after=", "round.begun=kill:after=-1", "round.begun=kill:after=two"}) {
    EXPECT_EQ(ArmFailpoint(spec).code(), absl::StatusCode::kInvalidArgument) << spec;
  }
  EXPECT_EQ(armed_failpoint.load(), -1);
}

TEST(FailpointDeathTest, KillsTheProcessAndNamesThePoint) {
  EXPECT_EXIT(
      {
        if (!ArmFailpoint("exchange.reply_sent=kill").ok()) _exit(1);
        Failpoint("exchange.reply_received");
        Failpoint("exchange.reply_sent");
        _exit(2);
      },
      testing::KilledBySignal(SIGKILL), "^failpoint exchange.reply_sent: kill\n$");
}

TEST(FailpointDeathTest, LetsHitsPass) {
  EXPECT_EXIT(
      {
        if (!ArmFailpoint("round.begun=kill:after=2").ok()) _exit(1);
        for (int hits = 0; hits < 2; ++hits) Failpoint("round.begun");
        fprintf(stderr, "passed; ");
        Failpoint("round.begun");
        _exit(2);
      },
      testing::KilledBySignal(SIGKILL), "^passed; failpoint round.begun: kill\n$");
}

TEST(FailpointTest, WhoWasStoppedGoesOnAndIsNotStoppedAgain) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (!ArmFailpoint("round.begun=stop").ok()) _exit(1);
    for (int hits = 0; hits < 3; ++hits) Failpoint("round.begun");
    _exit(7);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, WUNTRACED), child);
  ASSERT_TRUE(WIFSTOPPED(status));
  kill(child, SIGCONT);
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

}  // namespace
}  // namespace starling
