// The commands that talk to one daemon, from argv to output and exit code.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "peer/cli/command.h"
#include "peer/cli/commands.h"
#include "peer/cli/grpc_status_client.h"
#include "tests/peer/cli/grpc_fake_status_service.h"
#include "tests/peer/cli/status_samples.h"

namespace starling {
namespace {

struct Outcome {
  int exit_code;
  std::string out;
  std::string err;
};

Outcome Starling(std::vector<std::string> words) {
  words.insert(words.begin(), "starling");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Outcome outcome;
  outcome.exit_code =
      Dispatch({DemoCommand(), AlgorithmsCommand(), StatusCommand(), PeersCommand(), TopCommand(), LeaveCommand(), LimitCommand(),
                DoctorCommand(), EvaluateCommand()},
               static_cast<int>(words.size()), argv.data());
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.err = testing::internal::GetCapturedStderr();
  return outcome;
}

// Flags keep their values from one command line of this process to the next, so all are given.
std::vector<std::string> Ask(const std::string& command, const std::string& endpoint,
                             const std::string& output = "table") {
  return {command, "--endpoint=" + endpoint, "--output=" + output};
}

// An address where nobody listens: a port that was free a moment ago.
std::string SilentAddress() { return FakeStatusService().address(); }

class CommandsTest : public ::testing::Test {
 protected:
  CommandsTest() {
    daemon_.status = TrainingAt(120, 400);
    daemon_.status.set_address(daemon_.address());
    v1::PeerStatus* self = daemon_.status.add_peers();
    self->set_peer_id("00000000000000aa");
    self->set_address(daemon_.address());
    self->set_state(v1::PEER_STATE_ALIVE);
    self->set_self(true);
    self->set_step(120);
    v1::PeerStatus* dead = daemon_.status.add_peers();
    dead->set_peer_id("00000000000000bb");
    dead->set_address("10.0.0.1:7700");
    dead->set_state(v1::PEER_STATE_DEAD);
    dead->set_reason("no answer for 5.0 s");
  }

  FakeStatusService daemon_;
};

TEST_F(CommandsTest, StatusShowsGroupsOfValues) {
  const Outcome outcome = Starling(Ask("status", daemon_.address()));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(absl::StrContains(outcome.out, "training\n  step:                  120 of 400\n"))
      << outcome.out;
  EXPECT_TRUE(absl::StrContains(outcome.out, "consensus distance:    1.2500\n"));
}

TEST_F(CommandsTest, StatusOfACoordinatorHasNoTraining) {
  daemon_.status.set_role(v1::ROLE_COORDINATOR);
  const Outcome outcome = Starling(Ask("status", daemon_.address()));
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_FALSE(absl::StrContains(outcome.out, "training\n")) << outcome.out;
  EXPECT_TRUE(absl::StrContains(outcome.out, "rounds planned:"));
}

TEST_F(CommandsTest, StatusAsJsonIsOneDocumentWithEveryField) {
  const Outcome outcome = Starling(Ask("status", daemon_.address(), "json"));
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["training"]["step"], "120");
  EXPECT_EQ(json["training"]["evaluated"], false);
}

TEST_F(CommandsTest, PeersListsTheDepartedLastWithTheReason) {
  daemon_.status.mutable_peers()->SwapElements(0, 1);
  const Outcome outcome = Starling(Ask("peers", daemon_.address()));
  EXPECT_EQ(outcome.exit_code, 0);
  const size_t alive = outcome.out.find("00000000000000aa (self)");
  const size_t dead = outcome.out.find("00000000000000bb");
  ASSERT_NE(alive, std::string::npos) << outcome.out;
  ASSERT_NE(dead, std::string::npos);
  EXPECT_LT(alive, dead);
  EXPECT_TRUE(absl::StrContains(outcome.out, "no answer for 5.0 s"));
}

TEST_F(CommandsTest, TopShowsTheAskedNumberOfFrames) {
  const Outcome outcome =
      Starling({"top", "--endpoint=" + daemon_.address(), "--frames=2", "--interval_ms=100"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  const size_t first = outcome.out.find("120/400");
  ASSERT_NE(first, std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("120/400", first + 1), std::string::npos);
  EXPECT_TRUE(absl::StrContains(outcome.out, "00000000000000bb  DEAD"));
}

TEST_F(CommandsTest, TopRefusesAnAbsurdInterval) {
  EXPECT_EQ(Starling({"top", "--interval_ms=1"}).exit_code, 64);
}

TEST_F(CommandsTest, LeaveWaitsUntilTheDaemonIsGone) {
  const Outcome outcome =
      Starling({"leave", "--endpoint=" + daemon_.address(), "--reason=reboot"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(daemon_.leave_reason, "reboot");
  EXPECT_TRUE(absl::StrContains(outcome.out, "has left")) << outcome.out;
}

TEST_F(CommandsTest, LimitChangesWhatIsGivenAndShowsEverything) {
  daemon_.status.mutable_gossip()->mutable_budget()->mutable_limits()->set_receive(3'000'000);
  const Outcome outcome = Starling(
      {"limit", "--endpoint=" + daemon_.address(), "--send=20Mbit", "--send_per_day=2GB"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(daemon_.status.gossip().budget().limits().send(), 2'500'000);
  EXPECT_EQ(outcome.out,
            "send:      2.5 MB/s in all, 2.0 GB a day; 0 B in the last 24 h\n"
            "receive:   3.0 MB/s in all; 0 B in the last 24 h\n"
            "written:   as chosen; 0 exchanges coarser\n"
            "exchanges: 0 skipped, 0 put off as the partner asked, 0 of others refused\n");
}

TEST_F(CommandsTest, LimitTellsWhatIsWrongWithAnAmountAndAsksNobody) {
  const Outcome outcome =
      Starling({"limit", "--endpoint=" + daemon_.address(), "--send=5", "--send_per_day=2GB"});
  EXPECT_EQ(outcome.exit_code, 64);
  EXPECT_TRUE(absl::StrContains(outcome.err, "--send=5: limit send is 5 B")) << outcome.err;
  EXPECT_FALSE(daemon_.status.gossip().has_budget());
}

TEST_F(CommandsTest, EvaluateShowsTheAveragedModel) {
  daemon_.evaluation.set_test_accuracy(0.8765);
  daemon_.evaluation.add_missing("00000000000000bb: no answer");
  const Outcome outcome = Starling(Ask("evaluate", daemon_.address()));
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_TRUE(absl::StrContains(outcome.out, "0.8765")) << outcome.out;
  EXPECT_TRUE(absl::StrContains(outcome.out, "00000000000000bb: no answer"));
}

TEST_F(CommandsTest, WhatTheDaemonRefusesIsToldWithItsExitCode) {
  struct Case {
    grpc::StatusCode code;
    int exit_code;
  };
  for (const Case& test : {Case{grpc::StatusCode::RESOURCE_EXHAUSTED, 75},
                           Case{grpc::StatusCode::UNAVAILABLE, 69},
                           Case{grpc::StatusCode::UNIMPLEMENTED, 1}}) {
    daemon_.evaluation_error = grpc::Status(test.code, "a reason of its own");
    const Outcome outcome = Starling(Ask("evaluate", daemon_.address()));
    EXPECT_EQ(outcome.exit_code, test.exit_code);
    EXPECT_TRUE(absl::StrContains(outcome.err, "a reason of its own")) << outcome.err;
    EXPECT_FALSE(absl::StrContains(outcome.err, "is it running?")) << outcome.err;
  }
}

TEST_F(CommandsTest, AnEndpointWhereNobodyListensIsSixtyNine) {
  const std::string address = SilentAddress();
  for (const char* command : {"status", "peers", "evaluate"}) {
    const Outcome outcome = Starling(Ask(command, address));
    EXPECT_EQ(outcome.exit_code, 69) << command;
    EXPECT_EQ(outcome.err, "starling: no daemon answers at " + address +
                               ": Connection refused; is it running?\n");
    EXPECT_EQ(outcome.out, "");
  }
  EXPECT_EQ(Starling({"leave", "--endpoint=" + address}).exit_code, 69);
  EXPECT_EQ(Starling({"top", "--endpoint=" + address, "--interval_ms=100"}).exit_code, 69);
}

TEST_F(CommandsTest, AnEndpointThatIsNoAddressIsAUsageError) {
  for (const char* endpoint : {"", "localhost", "host:0", "host:99999", "::1:80"}) {
    EXPECT_EQ(Starling(Ask("status", endpoint)).exit_code, 64) << endpoint;
  }
}

TEST_F(CommandsTest, AllAreAskedAtTheSameTimeAndEachAnswersForItself) {
  auto known = StatusClient::Create(daemon_.address());
  auto silent = StatusClient::Create(SilentAddress());
  ASSERT_TRUE(known.ok() && silent.ok());
  const auto answers =
      GetStatuses({silent->get(), nullptr, known->get()}, absl::Seconds(20));
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_TRUE(absl::IsUnavailable(answers[0].status()));
  EXPECT_TRUE(absl::IsUnavailable(answers[1].status()));
  ASSERT_TRUE(answers[2].ok());
  EXPECT_EQ(answers[2]->training().step(), 120u);
}

TEST_F(CommandsTest, ACallCanBeGivenUp) {
  auto client = StatusClient::Create(daemon_.address());
  ASSERT_TRUE(client.ok());
  // Whether the answer or the cancellation comes first, the call ends.
  const auto answer = (*client)->EvaluateAverage(absl::Hours(1), [] { return true; });
  EXPECT_TRUE(answer.ok() || absl::IsCancelled(answer.status())) << answer.status();
}

TEST(DispatchTest, WithoutACommandTheHelpGoesToStderr) {
  const Outcome outcome = Starling({});
  EXPECT_EQ(outcome.exit_code, 64);
  EXPECT_TRUE(absl::StrContains(outcome.err, "commands:"));
}

TEST(DispatchTest, AnUnknownCommandNamesTheNearest) {
  const Outcome outcome = Starling({"stauts"});
  EXPECT_EQ(outcome.exit_code, 64);
  EXPECT_TRUE(absl::StrContains(outcome.err, "did you mean \"status\"?")) << outcome.err;
}

TEST(DispatchTest, AnUnknownFlagNamesTheNearestOfThatCommand) {
  const Outcome outcome = Starling({"demo", "--epoch=3"});
  EXPECT_EQ(outcome.exit_code, 64);
  EXPECT_TRUE(absl::StrContains(outcome.err, "--epochs")) << outcome.err;
}

TEST(DispatchTest, AFlagOfAnotherCommandIsUnknown) {
  EXPECT_EQ(Starling({"status", "--epochs=3"}).exit_code, 64);
}

TEST(DispatchTest, ArgumentsThatAreNoFlagsAreRefused) {
  const Outcome outcome = Starling({"status", "127.0.0.1:7700"});
  EXPECT_EQ(outcome.exit_code, 64);
  EXPECT_TRUE(absl::StrContains(outcome.err, "127.0.0.1:7700")) << outcome.err;
}

TEST(DispatchTest, ACommandThatTakesAWordTakesOne) {
  const Outcome outcome = Starling({"algorithms", "lsgd", "sgp", "--output=table"});
  EXPECT_EQ(outcome.exit_code, 64);
  EXPECT_EQ(outcome.err,
            "starling: algorithms takes one NAME and flags, but was given \"sgp\"; see starling "
            "help algorithms\n");
  EXPECT_TRUE(absl::StrContains(Starling({"help", "algorithms"}).out,
                                "usage: starling algorithms [NAME] [flags]"));
}

TEST(AlgorithmsCommandTest, WithoutANameItListsAndWithOneItTellsAll) {
  const Outcome all = Starling({"algorithms", "--output=table"});
  EXPECT_EQ(all.exit_code, 0);
  EXPECT_TRUE(absl::StrContains(all.out, "\nlsgd ")) << all.out;
  const Outcome one = Starling({"algorithms", "lsgd", "--output=table"});
  EXPECT_EQ(one.exit_code, 0);
  EXPECT_TRUE(absl::StartsWith(one.out, "lsgd: ")) << one.out;
  const Outcome json = Starling({"algorithms", "lsgd", "--output=json"});
  EXPECT_EQ(nlohmann::json::parse(json.out)["algorithms"].size(), 1u);
}

TEST(AlgorithmsCommandTest, AnUnknownNameNamesTheNearest) {
  const Outcome outcome = Starling({"algorithms", "slomo", "--output=table"});
  EXPECT_EQ(outcome.exit_code, 64);
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(absl::StrContains(outcome.err, "did you mean \"slowmo\"?")) << outcome.err;
}

TEST(AlgorithmsCommandTest, MarkdownIsForAllAlgorithmsAndForNoOtherCommand) {
  const Outcome all = Starling({"algorithms", "--output=markdown"});
  EXPECT_EQ(all.exit_code, 0);
  EXPECT_TRUE(absl::StartsWith(all.out, "# ")) << all.out;
  EXPECT_EQ(Starling({"algorithms", "lsgd", "--output=markdown"}).exit_code, 64);
  for (const char* command : {"demo", "status", "peers", "evaluate"}) {
    const Outcome other = Starling({command, "--output=markdown"});
    EXPECT_EQ(other.exit_code, 64) << command;
    EXPECT_TRUE(absl::StrContains(other.err, "starling algorithms")) << other.err;
  }
  Starling({"algorithms", "--output=table"});
}

TEST(DispatchTest, WhatTheAlgorithmRefusesIsAUsageErrorBeforeAnythingStarts) {
  const Outcome unknown = Starling({"demo", "--peers=4", "--algorithm=lsdg"});
  EXPECT_EQ(unknown.exit_code, 64);
  EXPECT_TRUE(absl::StrContains(unknown.err, "did you mean \"lsgd\"?")) << unknown.err;
  const Outcome optimizer =
      Starling({"demo", "--peers=4", "--algorithm=decentlam", "--optimizer=adamw"});
  EXPECT_EQ(optimizer.exit_code, 64);
  EXPECT_TRUE(absl::StrContains(optimizer.err, "use sgd")) << optimizer.err;
  Starling({"demo", "--peers=0", "--algorithm=elastic_gossip", "--optimizer="});
}

TEST(DispatchTest, ValuesOutOfRangeAreUsageErrors) {
  const Outcome outcome = Starling({"demo", "--peers=0"});
  EXPECT_EQ(outcome.exit_code, 64);
  EXPECT_TRUE(absl::StrContains(outcome.err, "--peers=0")) << outcome.err;
}

TEST(DispatchTest, EveryCommandTeachesItself) {
  for (const char* command : {"demo", "algorithms", "status", "peers", "top", "leave", "evaluate"}) {
    const Outcome outcome = Starling({command, "--help"});
    EXPECT_EQ(outcome.exit_code, 0) << command;
    EXPECT_TRUE(absl::StrContains(outcome.out, "example")) << command;
    EXPECT_TRUE(absl::StrContains(outcome.out, "exit codes:")) << command;
    EXPECT_EQ(Starling({"help", command}).out, outcome.out) << command;
  }
  EXPECT_TRUE(absl::StartsWith(Starling({"version"}).out, "starling "));
}

TEST(FailTest, ErrorsHaveTheirExitCodes) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(Fail(absl::InvalidArgumentError("x")), 64);
  EXPECT_EQ(Fail(absl::UnavailableError("x")), 69);
  EXPECT_EQ(Fail(absl::DeadlineExceededError("x")), 75);
  EXPECT_EQ(Fail(absl::ResourceExhaustedError("x")), 75);
  EXPECT_EQ(Fail(absl::InternalError("x")), 70);
  EXPECT_EQ(Fail(absl::FailedPreconditionError("x")), 78);
  testing::internal::GetCapturedStderr();
}

}  // namespace
}  // namespace starling
