#include "peer/cli/demo_plan.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "tests/peer/cli/status_samples.h"

namespace starling {
namespace {

using Kind = DemoAction::Kind;

class DemoPlanTest : public ::testing::Test {
 protected:
  DemoPlan MakePlan(bool churn = false) {
    return DemoPlan({.churn = churn, .deadline = now_ + absl::Seconds(170)}, now_);
  }

  void AllAt(uint64_t step) {
    for (DemoPeer& peer : peers_) {
      if (peer.running) peer.status = TrainingAt(step, 300);
    }
  }
  void AllFinished() {
    for (DemoPeer& peer : peers_) {
      if (peer.running) peer.status = FinishedWith(0.87);
    }
  }
  std::vector<DemoAction> Tick(DemoPlan& plan) {
    now_ += absl::Milliseconds(250);
    return plan.Observe(now_, peers_);
  }
  // As the swarm would do it.
  void Kill(int peer) {
    peers_[peer].killed = true;
    peers_[peer].running = false;
  }
  void AddNewcomer() {
    peers_.push_back({.name = "p3", .newcomer = true, .running = true});
  }

  absl::Time now_ = absl::UnixEpoch();
  std::vector<DemoPeer> peers_ = {RunningPeer("p0", TrainingAt(0, 300)),
                                  RunningPeer("p1", TrainingAt(0, 300)),
                                  RunningPeer("p2", TrainingAt(0, 300))};
};

TEST_F(DemoPlanTest, WithoutChurnNothingHappensUntilAllAreFinishedAndEvaluated) {
  DemoPlan plan = MakePlan();
  AllAt(290);
  EXPECT_TRUE(Tick(plan).empty());
  AllFinished();
  peers_[1].status.mutable_training()->set_evaluated_step(50);
  EXPECT_TRUE(Tick(plan).empty());
  peers_[1].status.mutable_training()->set_evaluated_step(100);
  const auto actions = Tick(plan);
  ASSERT_EQ(actions.size(), 1u);
  EXPECT_EQ(actions[0].kind, Kind::kFinish);
  EXPECT_EQ(actions[0].outcome, DemoOutcome::kFinished);
  EXPECT_TRUE(Tick(plan).empty());
}

TEST_F(DemoPlanTest, ChurnKillsTheLastPeerOnceAThirdOfTheWayIsDone) {
  DemoPlan plan = MakePlan(true);
  AllAt(99);
  EXPECT_TRUE(Tick(plan).empty());
  AllAt(100);
  const auto actions = Tick(plan);
  ASSERT_EQ(actions.size(), 1u);
  EXPECT_EQ(actions[0].kind, Kind::kKill);
  EXPECT_EQ(actions[0].peer, 2);
  Kill(2);
  AllAt(150);
  EXPECT_TRUE(Tick(plan).empty());
}

TEST_F(DemoPlanTest, ChurnStartsANewcomerOnceTwoThirdsAreDone) {
  DemoPlan plan = MakePlan(true);
  AllAt(100);
  Tick(plan);
  Kill(2);
  AllAt(199);
  EXPECT_TRUE(Tick(plan).empty());
  AllAt(200);
  const auto actions = Tick(plan);
  ASSERT_EQ(actions.size(), 1u);
  EXPECT_EQ(actions[0].kind, Kind::kStartNewcomer);
  AddNewcomer();
  EXPECT_TRUE(Tick(plan).empty());
}

TEST_F(DemoPlanTest, ASwarmThatRacesThroughIsStillChurned) {
  DemoPlan plan = MakePlan(true);
  AllFinished();
  const auto actions = Tick(plan);
  ASSERT_EQ(actions.size(), 2u);
  EXPECT_EQ(actions[0].kind, Kind::kKill);
  EXPECT_EQ(actions[1].kind, Kind::kStartNewcomer);
}

TEST_F(DemoPlanTest, TheEndWaitsForTheReportOfTheDeathAndForTheNewcomer) {
  DemoPlan plan = MakePlan(true);
  AllFinished();
  Tick(plan);
  Kill(2);
  AddNewcomer();
  EXPECT_TRUE(Tick(plan).empty());
  peers_[2].death = DeathReport{.state = "DEAD"};
  EXPECT_TRUE(Tick(plan).empty());
  peers_[3].known = true;
  peers_[3].status = FinishedWith(0.8);
  const auto actions = Tick(plan);
  ASSERT_EQ(actions.size(), 1u);
  EXPECT_EQ(actions[0].outcome, DemoOutcome::kFinished);
}

TEST_F(DemoPlanTest, TheWaitAfterTheLastStepIsBounded) {
  DemoPlan plan = MakePlan(true);
  AllFinished();
  Tick(plan);
  Kill(2);
  AddNewcomer();
  EXPECT_TRUE(Tick(plan).empty());
  now_ += absl::Seconds(30);
  const auto actions = Tick(plan);
  ASSERT_EQ(actions.size(), 1u);
  EXPECT_EQ(actions[0].outcome, DemoOutcome::kFinished);
}

TEST_F(DemoPlanTest, TheDeadlineEndsItWithTheTimeSpent) {
  DemoPlan plan = MakePlan();
  AllAt(10);
  EXPECT_TRUE(Tick(plan).empty());
  now_ += absl::Seconds(170);
  const auto actions = Tick(plan);
  ASSERT_EQ(actions.size(), 1u);
  EXPECT_EQ(actions[0].outcome, DemoOutcome::kTimedOut);
  EXPECT_TRUE(absl::StrContains(actions[0].reason, "--timeout")) << actions[0].reason;
}

TEST_F(DemoPlanTest, APeerThatEndsBeforeItTrainsEndsTheDemo) {
  DemoPlan plan = MakePlan();
  peers_[1] = {.name = "p1", .failure = "exit code 66", .failure_exit_code = 66};
  const auto actions = Tick(plan);
  ASSERT_EQ(actions.size(), 1u);
  EXPECT_EQ(actions[0].outcome, DemoOutcome::kNotStarted);
  EXPECT_EQ(actions[0].culprit, 1);
  EXPECT_EQ(actions[0].reason, "p1 ended before it trained: exit code 66");
}

TEST_F(DemoPlanTest, APeerThatNeverTrainsEndsTheDemoAfterAWhile) {
  DemoPlan plan = MakePlan();
  peers_[2].status.set_phase(v1::PHASE_WAITING);
  EXPECT_TRUE(Tick(plan).empty());
  now_ += absl::Seconds(60);
  const auto actions = Tick(plan);
  ASSERT_EQ(actions.size(), 1u);
  EXPECT_EQ(actions[0].outcome, DemoOutcome::kNotStarted);
  EXPECT_TRUE(absl::StrContains(actions[0].reason, "p2")) << actions[0].reason;
}

TEST_F(DemoPlanTest, APeerThatEndsLaterDoesNotStopTheOthers) {
  DemoPlan plan = MakePlan();
  AllAt(50);
  EXPECT_TRUE(Tick(plan).empty());
  peers_[0].running = false;
  peers_[0].failure = "signal 11";
  EXPECT_TRUE(Tick(plan).empty());
  AllFinished();
  ASSERT_EQ(Tick(plan).size(), 1u);
}

TEST_F(DemoPlanTest, ItIsOverWhenEveryPeerEnded) {
  DemoPlan plan = MakePlan();
  AllAt(50);
  EXPECT_TRUE(Tick(plan).empty());
  for (DemoPeer& peer : peers_) {
    peer.running = false;
    peer.failure = "signal 11";
  }
  const auto actions = Tick(plan);
  ASSERT_EQ(actions.size(), 1u);
  EXPECT_EQ(actions[0].outcome, DemoOutcome::kNobodyLeft);
  EXPECT_EQ(actions[0].culprit, 0);
}

TEST_F(DemoPlanTest, TheLastLivingPeerIsNotKilled) {
  DemoPlan plan = MakePlan(true);
  AllAt(50);
  Tick(plan);
  for (int lost : {0, 1}) {
    peers_[lost].running = false;
    peers_[lost].failure = "signal 11";
  }
  AllAt(150);
  EXPECT_TRUE(Tick(plan).empty());
}

// A centre as it stays for the whole run.
DemoPeer Centre() {
  DemoPeer centre = RunningPeer("centre", TrainingAt(0, 300));
  centre.centre = true;
  return centre;
}

TEST_F(DemoPlanTest, NothingWaitsForTheCentreToFinish) {
  DemoPlan plan = MakePlan();
  peers_.push_back(Centre());
  AllAt(150);
  peers_[3] = Centre();
  EXPECT_TRUE(Tick(plan).empty());
  EXPECT_EQ(plan.progress(), 0.5);
  AllFinished();
  peers_[3] = Centre();
  const auto actions = Tick(plan);
  ASSERT_EQ(actions.size(), 1u);
  EXPECT_EQ(actions[0].outcome, DemoOutcome::kFinished);
}

TEST_F(DemoPlanTest, TheStartWaitsForTheCentre) {
  DemoPlan plan = MakePlan();
  AllAt(10);
  peers_.push_back(Centre());
  peers_[3].status.set_phase(v1::PHASE_WAITING);
  EXPECT_TRUE(Tick(plan).empty());
  EXPECT_FALSE(plan.started());
  peers_[3] = Centre();
  Tick(plan);
  EXPECT_TRUE(plan.started());
}

TEST_F(DemoPlanTest, TheCentreIsNotKilled) {
  DemoPlan plan = MakePlan(true);
  AllAt(100);
  peers_.push_back(Centre());
  const auto actions = Tick(plan);
  ASSERT_EQ(actions.size(), 1u);
  EXPECT_EQ(actions[0].kind, Kind::kKill);
  EXPECT_EQ(actions[0].peer, 2);
}

TEST_F(DemoPlanTest, ACentreAloneIsNobody) {
  DemoPlan plan = MakePlan();
  peers_.push_back(Centre());
  AllAt(50);
  Tick(plan);
  for (int lost : {0, 1, 2}) peers_[lost].running = false;
  const auto actions = Tick(plan);
  ASSERT_EQ(actions.size(), 1u);
  EXPECT_EQ(actions[0].outcome, DemoOutcome::kNobodyLeft);
}

TEST_F(DemoPlanTest, ProgressNeverFalls) {
  DemoPlan plan = MakePlan();
  AllAt(30);
  peers_[2].status = TrainingAt(150, 300);
  Tick(plan);
  const double before = plan.progress();
  peers_[2].running = false;
  Tick(plan);
  EXPECT_EQ(plan.progress(), before);
}

}  // namespace
}  // namespace starling
