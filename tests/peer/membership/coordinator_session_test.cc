#include "peer/membership/coordinator_session.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/peer/membership/membership_fakes.h"
#include "tests/peer/runtime/manual_executor.h"

namespace starling {
namespace {

class CoordinatorSessionTest : public testing::Test {
 protected:
  CoordinatorSessionTest() {
    CoordinatorSession::Deps deps;
    deps.control = &executor_;
    deps.client = &client_;
    deps.self = TestPeer(1);
    deps.run = RunId(77);
    deps.random = Random(5);
    deps.on_view = [this](const v1::SwarmView& view) { views_.push_back(view); };
    deps.on_round = [this](const v1::RoundPlan& plan) { rounds_.push_back(plan); };
    deps.on_refused = [this](absl::Status status) { refusals_.push_back(status); };
    deps.averaging_time = [] { return absl::Seconds(107); };
    deps.log = [this](const std::string& line) { log_.push_back(line); };
    session_ = std::make_unique<CoordinatorSession>(std::move(deps));
    executor_.Do([this] { session_->Start(); });
  }
  ~CoordinatorSessionTest() override {
    executor_.Do([this] { session_.reset(); });
  }

  void Admit(const v1::SwarmView& view = {}) {
    executor_.Do([&] { client_.Admit(0, view); });
  }
  void AnswerHeartbeat(absl::Status status = absl::OkStatus()) {
    executor_.Do([&] { client_.AnswerHeartbeat(status); });
  }
  void Event(const v1::SwarmEvent& event) {
    executor_.Do([&] { client_.watches.back().event(event); });
  }
  static v1::SwarmView View(uint64_t epoch) {
    v1::SwarmView view;
    view.set_epoch(epoch);
    return view;
  }
  static v1::SwarmEvent Round(uint64_t epoch, uint64_t round,
                              std::vector<uint64_t> participants = {1, 2}) {
    v1::SwarmEvent event;
    event.mutable_round()->set_epoch(epoch);
    event.mutable_round()->set_round(round);
    for (uint64_t id : participants) event.mutable_round()->add_participants(id);
    return event;
  }
  v1::CoordinatorStatus Status() {
    v1::CoordinatorStatus status;
    executor_.Do([&] { status = session_->Status(); });
    return status;
  }

  ManualExecutor executor_;
  FakeCoordinatorClient client_;
  std::unique_ptr<CoordinatorSession> session_;
  std::vector<v1::SwarmView> views_;
  std::vector<v1::RoundPlan> rounds_;
  std::vector<absl::Status> refusals_;
  std::vector<std::string> log_;
};

TEST_F(CoordinatorSessionTest, HeartbeatsSayHowLongAnAveragingRoundTakesHere) {
  Admit();
  executor_.Advance(absl::Seconds(1));
  ASSERT_EQ(client_.heartbeats.size(), 1);
  EXPECT_EQ(client_.heartbeats[0].request.averaging_seconds(), 107);
}

TEST_F(CoordinatorSessionTest, JoinsWatchesAndBeats) {
  ASSERT_EQ(client_.joins.size(), 1);
  EXPECT_EQ(client_.joins[0].request.run_id(), 77);
  Admit(View(10));
  EXPECT_EQ(client_.watches.size(), 1);
  ASSERT_EQ(views_.size(), 1);
  EXPECT_TRUE(Status().connected());
  executor_.Do([this] { session_->SetLocal(42, v1::PEER_STATE_JOINING); });
  executor_.Advance(absl::Seconds(1));
  ASSERT_EQ(client_.heartbeats.size(), 1);
  EXPECT_EQ(client_.heartbeats[0].request.step(), 42);
}

TEST_F(CoordinatorSessionTest, BacksOffUpToFiveSecondsWhileNobodyAnswers) {
  std::vector<absl::Duration> pauses;
  for (int i = 0; i < 8; ++i) {
    ASSERT_EQ(client_.joins.size(), 1);
    executor_.Do([this] { client_.RefuseJoin(absl::UnavailableError("nobody")); });
    const absl::Time asked = executor_.Now();
    while (client_.joins.empty()) executor_.Advance(absl::Milliseconds(10));
    pauses.push_back(executor_.Now() - asked);
  }
  EXPECT_GE(pauses[0], absl::Milliseconds(160));
  EXPECT_LE(pauses[0], absl::Milliseconds(250));
  EXPECT_GT(pauses[2], pauses[0]);
  EXPECT_GE(pauses[7], absl::Seconds(4));
  EXPECT_LE(pauses[7], absl::Seconds(6.1));
  EXPECT_EQ(log_.size(), 1) << "one line for one absence";
  EXPECT_TRUE(refusals_.empty());
}

TEST_F(CoordinatorSessionTest, LeaseIsCountedFromWhenTheRenewalWasSent) {
  Admit();
  executor_.Advance(absl::Seconds(1));
  ASSERT_EQ(client_.heartbeats.size(), 1);
  executor_.Advance(absl::Seconds(1));
  AnswerHeartbeat();
  EXPECT_DOUBLE_EQ(Status().lease_seconds_left(), 4);
  EXPECT_TRUE(client_.heartbeats.empty()) << "one question at a time";
}

TEST_F(CoordinatorSessionTest, AHeartbeatWithoutAnAnswerDoesNotCostTheLease) {
  Admit();
  executor_.Advance(absl::Seconds(3));
  ASSERT_EQ(client_.heartbeats.size(), 2) << "a quarter of the lease is patience enough";
  auto late = std::move(client_.heartbeats.front());
  client_.heartbeats.pop_front();
  AnswerHeartbeat();
  EXPECT_DOUBLE_EQ(Status().lease_seconds_left(), 5);
  executor_.Do([&] { late.done(v1::HeartbeatResponse()); });
  EXPECT_DOUBLE_EQ(Status().lease_seconds_left(), 5);
}

TEST_F(CoordinatorSessionTest, LeaseRunsOutHereTooAndTheWayBackIsSought) {
  Admit();
  for (int i = 0; i < 10 && client_.joins.empty(); ++i) {
    executor_.Advance(absl::Seconds(1));
    if (!client_.heartbeats.empty()) AnswerHeartbeat(absl::UnavailableError("away"));
    EXPECT_EQ(Status().connected(), i < 4) << i;
  }
  ASSERT_EQ(client_.joins.size(), 1);
  Admit();
  EXPECT_TRUE(Status().connected());
  EXPECT_EQ(client_.watches.size(), 2);
  EXPECT_TRUE(refusals_.empty());
}

TEST_F(CoordinatorSessionTest, UnknownLeaseIsAnsweredByJoiningAgain) {
  Admit();
  executor_.Advance(absl::Seconds(1));
  AnswerHeartbeat(absl::NotFoundError("no lease"));
  ASSERT_EQ(client_.joins.size(), 1);
  EXPECT_FALSE(Status().connected());
}

TEST_F(CoordinatorSessionTest, NewStateIsToldAtOnce) {
  Admit();
  executor_.Do([this] { session_->SetLocal(0, v1::PEER_STATE_ALIVE); });
  ASSERT_EQ(client_.heartbeats.size(), 1);
  EXPECT_EQ(client_.heartbeats[0].request.state(), v1::PEER_STATE_ALIVE);
}

TEST_F(CoordinatorSessionTest, ClosedWatchIsOpenedAgain) {
  Admit();
  executor_.Do([this] { client_.watches[0].closed(absl::UnavailableError("gone")); });
  EXPECT_EQ(client_.watches.size(), 1) << "not at once";
  executor_.Advance(absl::Seconds(2));
  EXPECT_EQ(client_.watches.size(), 2);
}

TEST_F(CoordinatorSessionTest, RoundsOfLowerEpochsRepeatedRoundsAndOthersRoundsAreDropped) {
  Admit(View(10));
  Event(Round(10, 1));
  Event(Round(10, 1));
  Event(Round(9, 2));
  Event(Round(10, 2, {2, 3}));
  Event(Round(10, 3));
  ASSERT_EQ(rounds_.size(), 2);
  EXPECT_EQ(rounds_[0].round(), 1);
  EXPECT_EQ(rounds_[1].round(), 3);
  Event(Round(11, 1));
  EXPECT_EQ(rounds_.size(), 3) << "a restarted coordinator counts from 1 in a higher epoch";
}

TEST_F(CoordinatorSessionTest, RoundsAreIgnoredWithoutALease) {
  Admit(View(10));
  executor_.Freeze(absl::Seconds(6));  // the timer has not noticed yet
  Event(Round(10, 1));
  EXPECT_TRUE(rounds_.empty());
}

TEST_F(CoordinatorSessionTest, ViewsOfLowerEpochsAreIgnored) {
  Admit(View(10));
  v1::SwarmEvent event;
  *event.mutable_view() = View(9);
  Event(event);
  EXPECT_EQ(views_.size(), 1);
  *event.mutable_view() = View(11);
  Event(event);
  EXPECT_EQ(views_.size(), 2);
  EXPECT_EQ(Status().epoch(), 11);
}

TEST_F(CoordinatorSessionTest, EventsOfAnEarlierConnectionAreIgnored) {
  Admit(View(10));
  executor_.Advance(absl::Seconds(1));
  AnswerHeartbeat(absl::NotFoundError("no lease"));
  v1::SwarmEvent event;
  *event.mutable_view() = View(12);
  Event(event);
  EXPECT_EQ(views_.size(), 1);
}

TEST_F(CoordinatorSessionTest, SupersededPeerIsToldSoOnce) {
  executor_.Do([this] { client_.RefuseJoin(absl::AlreadyExistsError("a newer one is here")); });
  ASSERT_EQ(refusals_.size(), 1);
  EXPECT_EQ(refusals_[0], absl::AlreadyExistsError("a newer one is here"));
  executor_.Advance(absl::Minutes(1));
  EXPECT_TRUE(client_.joins.empty());
}

TEST_F(CoordinatorSessionTest, AnotherRunIsARefusalForANewcomer) {
  executor_.Do([this] { client_.RefuseJoin(absl::FailedPreconditionError("other run")); });
  EXPECT_EQ(refusals_.size(), 1);
}

TEST_F(CoordinatorSessionTest, AnotherRunAfterARestartOfTheCoordinatorStopsNobody) {
  Admit();
  executor_.Advance(absl::Seconds(1));
  AnswerHeartbeat(absl::NotFoundError("no lease"));
  executor_.Do([this] { client_.RefuseJoin(absl::FailedPreconditionError("other run")); });
  EXPECT_TRUE(refusals_.empty());
  executor_.Advance(absl::Seconds(1));
  EXPECT_EQ(client_.joins.size(), 1);
}

TEST_F(CoordinatorSessionTest, NonsenseFromTheCoordinatorIsLimited) {
  executor_.Do([this] {
    v1::JoinResponse response;
    response.set_lease_seconds(std::numeric_limits<double>::quiet_NaN());
    response.set_heartbeat_seconds(-1);
    client_.joins.front().done(response);
    client_.joins.clear();
  });
  EXPECT_TRUE(Status().connected());
  executor_.Advance(absl::Seconds(1));
  EXPECT_GE(client_.heartbeats.size(), 1);
  EXPECT_LE(client_.heartbeats.size(), 4) << "of 50 ms each, until the lease of 200 ms is over";
}

TEST_F(CoordinatorSessionTest, LeavingGivesTheLeaseBackAndEndsEverything) {
  Admit();
  bool done = false;
  executor_.Do([&] { session_->Leave("SIGTERM", [&] { done = true; }); });
  ASSERT_EQ(client_.leaves.size(), 1);
  EXPECT_EQ(client_.leaves[0].request.reason(), "SIGTERM");
  EXPECT_FALSE(done);
  executor_.Do([&] { client_.leaves[0].done(absl::OkStatus()); });
  EXPECT_TRUE(done);
  executor_.Advance(absl::Minutes(1));
  EXPECT_TRUE(client_.heartbeats.empty());
  EXPECT_TRUE(client_.joins.empty());
}

TEST_F(CoordinatorSessionTest, LeavingWithoutALeaseAsksNobody) {
  bool done = false;
  executor_.Do([&] { session_->Leave("", [&] { done = true; }); });
  EXPECT_TRUE(done);
  EXPECT_TRUE(client_.leaves.empty());
}

TEST_F(CoordinatorSessionTest, AnswersAfterItsEndDoNothing) {
  auto join = std::move(client_.joins.front().done);
  executor_.Do([this] { session_.reset(); });
  executor_.Do([&] { join(v1::JoinResponse()); });
  EXPECT_TRUE(views_.empty());
}

}  // namespace
}  // namespace starling
