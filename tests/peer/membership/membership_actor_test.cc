#include "peer/membership/membership_actor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "tests/peer/membership/membership_fakes.h"
#include "tests/peer/runtime/manual_executor.h"

namespace starling {
namespace {

constexpr uint64_t kRun = 77;

class MembershipActorTest : public testing::Test {
 protected:
  void Start(std::vector<std::string> seeds, bool coordinator = false, uint32_t min_peers = 1) {
    MembershipActor::Deps deps;
    deps.control = &executor_;
    deps.transport = &transport_;
    deps.coordinator = coordinator ? &client_ : nullptr;
    deps.self = TestPeer(1);
    deps.run = RunId(kRun);
    deps.min_peers = min_peers;
    deps.seeds = std::move(seeds);
    deps.random = Random(5);
    deps.on_view = [this](std::shared_ptr<const MembershipView> view) { view_ = view; ++views_; };
    deps.on_round = [this](const v1::RoundPlan&) { ++rounds_; };
    deps.on_started = [this] { ++started_; };
    deps.on_refused = [this](absl::Status status) { refusals_.push_back(status); };
    deps.log = [this](const std::string& line) { log_.push_back(line); };
    actor_ = std::make_unique<MembershipActor>(MembershipOptions::Lan(), std::move(deps));
    executor_.Do([this] { actor_->Start(); });
  }
  ~MembershipActorTest() override {
    executor_.Do([this] { actor_.reset(); });
  }

  void Pong(const v1::Member& peer, std::vector<v1::Member> view = {}, uint64_t run = kRun) {
    ASSERT_FALSE(transport_.calls.empty());
    executor_.Do([&] { transport_.Pong(peer, run, view); });
  }
  v1::ControlResponse Control(const v1::ControlRequest& request) {
    v1::ControlResponse response;
    executor_.Do([&] { handled_ = actor_->HandleControl(request, &response); });
    return response;
  }
  v1::ControlRequest PingFrom(const v1::Member& peer) {
    v1::ControlRequest request;
    *request.mutable_sender() = peer;
    request.set_run_id(kRun);
    request.mutable_ping();
    return request;
  }
  v1::PeerState State(uint64_t id) {
    for (const MemberView& other : view_->others) {
      if (other.member.peer_id() == id) return other.member.state();
    }
    return v1::PEER_STATE_UNSPECIFIED;
  }

  ManualExecutor executor_;
  FakeTransport transport_;
  FakeCoordinatorClient client_;
  std::unique_ptr<MembershipActor> actor_;
  std::shared_ptr<const MembershipView> view_;
  int views_ = 0;
  int rounds_ = 0;
  int started_ = 0;
  bool handled_ = false;
  std::vector<absl::Status> refusals_;
  std::vector<std::string> log_;
};

TEST_F(MembershipActorTest, AloneThereIsNothingToWaitFor) {
  Start({});
  ASSERT_NE(view_, nullptr);
  EXPECT_TRUE(view_->settled);
  EXPECT_TRUE(view_->others.empty());
  EXPECT_EQ(started_, 1);
}

TEST_F(MembershipActorTest, SeedThatAnswersIsAMemberAndItsAcquaintancesAreMetFirst) {
  Start({TestPeer(2).address()});
  EXPECT_FALSE(view_->settled);
  ASSERT_EQ(transport_.calls.size(), 1);
  EXPECT_EQ(transport_.calls[0].request.run_id(), kRun);
  EXPECT_EQ(transport_.calls[0].request.sender().peer_id(), 1);
  Pong(TestPeer(2), {TestPeer(3, v1::PEER_STATE_ALIVE)});
  EXPECT_EQ(State(2), v1::PEER_STATE_JOINING);
  EXPECT_FALSE(view_->settled) << "peer 3 may be training";
  Pong(TestPeer(3, v1::PEER_STATE_ALIVE));
  EXPECT_TRUE(view_->settled);
  EXPECT_EQ(State(3), v1::PEER_STATE_ALIVE);
}

TEST_F(MembershipActorTest, SeedsThatFailOnceSettleTheMatter) {
  Start({TestPeer(2).address(), TestPeer(3).address()});
  executor_.Do([this] { transport_.Answer(absl::UnavailableError("nobody")); });
  EXPECT_FALSE(view_->settled);
  executor_.Do([this] { transport_.Answer(absl::UnavailableError("nobody")); });
  EXPECT_TRUE(view_->settled);
}

TEST_F(MembershipActorTest, WithACoordinatorItsAnswerSettlesTheMatter) {
  Start({}, /*coordinator=*/true);
  executor_.Do([this] { client_.RefuseJoin(absl::UnavailableError("away")); });
  EXPECT_FALSE(view_->settled);
  while (client_.joins.empty()) executor_.Advance(absl::Milliseconds(50));
  v1::SwarmView swarm;
  *swarm.add_members() = TestPeer(2, v1::PEER_STATE_ALIVE);
  executor_.Do([&] { client_.Admit(0, swarm); });
  EXPECT_FALSE(view_->settled) << "peer 2 is not met yet";
  Pong(TestPeer(2, v1::PEER_STATE_ALIVE));
  EXPECT_TRUE(view_->settled);
  EXPECT_EQ(State(2), v1::PEER_STATE_ALIVE);
}

TEST_F(MembershipActorTest, StartsOnceMinPeersAnswer) {
  Start({TestPeer(2).address(), TestPeer(3).address()}, false, 3);
  Pong(TestPeer(2));
  EXPECT_EQ(started_, 0);
  Pong(TestPeer(3));
  EXPECT_EQ(started_, 1);
  executor_.Advance(absl::Seconds(5));
  EXPECT_EQ(started_, 1);
}

TEST_F(MembershipActorTest, StartsWhenSomebodyTrainsAlready) {
  Start({TestPeer(2).address()}, false, 10);
  Pong(TestPeer(2, v1::PEER_STATE_ALIVE));
  EXPECT_EQ(started_, 1);
}

TEST_F(MembershipActorTest, StartsWhenTheCoordinatorSaysSo) {
  Start({}, true, 10);
  v1::SwarmView swarm;
  swarm.set_started(true);
  executor_.Do([&] { client_.Admit(0, swarm); });
  EXPECT_EQ(started_, 1);
}

TEST_F(MembershipActorTest, PingsAreAnsweredWithWhatWeKnow) {
  Start({TestPeer(2).address()});
  Pong(TestPeer(2));
  const v1::ControlResponse response = Control(PingFrom(TestPeer(3)));
  EXPECT_TRUE(handled_);
  ASSERT_TRUE(response.has_pong());
  ASSERT_EQ(response.pong().members_size(), 1);
  EXPECT_EQ(response.pong().members(0).peer_id(), 2);
  EXPECT_EQ(transport_.calls.back().address, TestPeer(3).address()) << "and called back";
}

TEST_F(MembershipActorTest, AccusationIsContradictedInTheAnswerToIt) {
  Start({TestPeer(2).address()});
  Pong(TestPeer(2));
  v1::ControlRequest request = PingFrom(TestPeer(2));
  *request.mutable_ping()->add_members() = TestPeer(1, v1::PEER_STATE_SUSPECT);
  EXPECT_EQ(Control(request).sender().refutations(), 1);
}

TEST_F(MembershipActorTest, TableIsAnsweredWithOurs) {
  Start({TestPeer(2).address()});
  Pong(TestPeer(2));
  v1::ControlRequest request;
  *request.mutable_sender() = TestPeer(3);
  request.set_run_id(kRun);
  request.mutable_sync();
  const v1::ControlResponse response = Control(request);
  ASSERT_TRUE(response.has_sync());
  ASSERT_EQ(response.sync().members_size(), 2);
  EXPECT_EQ(response.sync().members(0).peer_id(), 1) << "ourselves";
  EXPECT_EQ(response.sync().members(1).peer_id(), 2);
}

TEST_F(MembershipActorTest, HelpIsGivenAndReported) {
  Start({TestPeer(2).address()});
  Pong(TestPeer(2));
  transport_.calls.clear();
  v1::ControlRequest request;
  *request.mutable_sender() = TestPeer(2);
  request.set_run_id(kRun);
  *request.mutable_ping_request()->mutable_target() = TestPeer(3);
  request.mutable_ping_request()->set_timeout_ms(400);
  std::vector<v1::ControlResponse> reports;
  const auto ask = [&] {
    transport_.calls.clear();
    executor_.Do([&] {
      actor_->HandlePingRequest(request, {}, [&](v1::ControlResponse response) {
        reports.push_back(std::move(response));
      });
    });
    while (!transport_.calls.empty() && transport_.calls.front().address != TestPeer(3).address()) {
      transport_.calls.pop_front();
    }
    ASSERT_FALSE(transport_.calls.empty());
  };
  ask();
  EXPECT_TRUE(reports.empty());
  Pong(TestPeer(3));
  ASSERT_EQ(reports.size(), 1);
  EXPECT_EQ(reports[0].sender().peer_id(), 1);
  EXPECT_TRUE(reports[0].ping_report().answered());
  EXPECT_EQ(reports[0].ping_report().target().peer_id(), 3);
  ask();
  executor_.Do([this] { transport_.Answer(absl::UnavailableError("connection refused")); });
  ASSERT_EQ(reports.size(), 2);
  EXPECT_FALSE(reports[1].ping_report().answered());
  EXPECT_EQ(reports[1].ping_report().why(), "connection refused");
  request.mutable_ping_request()->clear_target();
  executor_.Do([&] {
    actor_->HandlePingRequest(request, {}, [&](v1::ControlResponse response) {
      reports.push_back(std::move(response));
    });
  });
  ASSERT_EQ(reports.size(), 3);
  EXPECT_FALSE(reports[2].ping_report().answered());
}

TEST_F(MembershipActorTest, QuarantineIsSeenAtOnce) {
  Start({TestPeer(2).address()});
  Pong(TestPeer(2));
  executor_.Do([this] { actor_->OnQuarantine(PeerId(2), absl::Minutes(5), "NaN"); });
  EXPECT_EQ(State(2), v1::PEER_STATE_QUARANTINED);
  executor_.Do([this] {
    EXPECT_NEAR(actor_->Peers()[1].quarantined_seconds_left(), 300, 1);
  });
}

TEST_F(MembershipActorTest, OtherQuestionsAreNotOurs) {
  Start({});
  v1::ControlRequest request;
  request.mutable_get_run();
  Control(request);
  EXPECT_FALSE(handled_);
}

TEST_F(MembershipActorTest, GoodbyeIsSeenAtOnceAndConnectionsAreForgotten) {
  Start({TestPeer(2).address()});
  Pong(TestPeer(2));
  v1::ControlRequest request = PingFrom(TestPeer(2));
  request.mutable_goodbye()->set_reason("SIGTERM");
  Control(request);
  EXPECT_EQ(State(2), v1::PEER_STATE_LEFT);
  EXPECT_EQ(transport_.forgotten, std::vector<std::string>{TestPeer(2).address()});
  EXPECT_TRUE(absl::StrContains(log_.back(), "is LEFT, was JOINING: left: SIGTERM")) << log_.back();
}

TEST_F(MembershipActorTest, AddressThatSomebodyElseLivesAtIsNotForgotten) {
  Start({TestPeer(2).address()});
  Pong(TestPeer(2));
  v1::Member successor = TestPeer(3);
  successor.set_address(TestPeer(2).address());
  Control(PingFrom(successor));
  Pong(successor);
  executor_.Advance(absl::Seconds(1.5));
  while (!transport_.calls.empty()) Pong(successor);
  EXPECT_EQ(State(2), v1::PEER_STATE_DEAD);
  EXPECT_TRUE(transport_.forgotten.empty());
}

TEST_F(MembershipActorTest, BrokenPathIsLookedIntoAtOnce) {
  Start({TestPeer(2).address()});
  Pong(TestPeer(2));
  transport_.calls.clear();
  executor_.Do([this] { actor_->OnPathBroken(TestPeer(2).address()); });
  ASSERT_EQ(transport_.calls.size(), 1);
  executor_.Do([this] { transport_.Answer(absl::UnavailableError("connection refused")); });
  EXPECT_EQ(State(2), v1::PEER_STATE_SUSPECT);
}

TEST_F(MembershipActorTest, WhatWeSayAboutOurselvesIsSent) {
  Start({TestPeer(2).address()});
  Pong(TestPeer(2));
  executor_.Do([this] { actor_->SetLocal(33, v1::PEER_STATE_ALIVE); });
  executor_.Advance(absl::Seconds(1.5));
  ASSERT_FALSE(transport_.calls.empty());
  EXPECT_EQ(transport_.calls.back().request.sender().step(), 33);
  EXPECT_EQ(transport_.calls.back().request.sender().state(), v1::PEER_STATE_ALIVE);
}

TEST_F(MembershipActorTest, SeedOfAnotherRunRefusesANewcomer) {
  Start({TestPeer(2).address()}, false, 2);
  Pong(TestPeer(2), {}, kRun + 1);
  ASSERT_EQ(refusals_.size(), 1);
  EXPECT_TRUE(absl::IsFailedPrecondition(refusals_[0]));
  EXPECT_TRUE(absl::StrContains(refusals_[0].message(), TestPeer(2).address())) << refusals_[0];
}

TEST_F(MembershipActorTest, StrangersOfAnotherRunDisturbNobody) {
  Start({});
  v1::ControlRequest request = PingFrom(TestPeer(2));
  request.set_run_id(kRun + 1);
  Control(request);
  EXPECT_TRUE(refusals_.empty());
  EXPECT_EQ(State(2), v1::PEER_STATE_INCOMPATIBLE);
}

TEST_F(MembershipActorTest, SupersededPeerIsRefusedOnce) {
  Start({});
  v1::Member newer = TestPeer(1);
  newer.set_incarnation(2);
  Control(PingFrom(newer));
  Control(PingFrom(newer));
  ASSERT_EQ(refusals_.size(), 1);
  EXPECT_TRUE(absl::IsAlreadyExists(refusals_[0]));
}

TEST_F(MembershipActorTest, LeavingTellsEverybodyAndIsDoneWhenAllHaveAnswered) {
  Start({TestPeer(2).address()}, true);
  executor_.Do([this] { client_.Admit(); });
  Pong(TestPeer(2));
  transport_.calls.clear();
  int done = 0;
  executor_.Do([&] { actor_->Leave("SIGTERM", [&] { ++done; }); });
  ASSERT_EQ(transport_.calls.size(), 1);
  EXPECT_EQ(transport_.calls[0].request.goodbye().reason(), "SIGTERM");
  ASSERT_EQ(client_.leaves.size(), 1);
  Pong(TestPeer(2));
  EXPECT_EQ(done, 0);
  executor_.Do([this] { client_.leaves[0].done(absl::OkStatus()); });
  EXPECT_EQ(done, 1);
  executor_.Advance(absl::Minutes(1));
  EXPECT_EQ(done, 1);
  EXPECT_TRUE(transport_.calls.empty()) << "nobody is called any more";
}

TEST_F(MembershipActorTest, LeavingWaitsASecondAtMost) {
  Start({TestPeer(2).address()});
  Pong(TestPeer(2));
  int done = 0;
  executor_.Do([&] { actor_->Leave("SIGTERM", [&] { ++done; }); });
  executor_.Advance(absl::Seconds(0.9));
  EXPECT_EQ(done, 0);
  executor_.Advance(absl::Seconds(0.2));
  EXPECT_EQ(done, 1);
}

TEST_F(MembershipActorTest, LeavingAloneIsDoneAtOnce) {
  Start({});
  int done = 0;
  executor_.Do([&] { actor_->Leave("", [&] { ++done; }); });
  EXPECT_EQ(done, 1);
}

TEST_F(MembershipActorTest, WhoeverCallsWhileWeLeaveHearsGoodbye) {
  Start({});
  executor_.Do([this] { actor_->Leave("SIGTERM", [] {}); });
  EXPECT_EQ(Control(PingFrom(TestPeer(2))).goodbye().reason(), "SIGTERM");
}

TEST_F(MembershipActorTest, StatusShowsSelfAmongTheOthersInOrder) {
  Start({TestPeer(2).address()}, true);
  executor_.Do([this] { client_.Admit(); });
  Pong(TestPeer(2));
  executor_.Do([this] {
    const std::vector<v1::PeerStatus> peers = actor_->Peers();
    ASSERT_EQ(peers.size(), 2);
    EXPECT_TRUE(peers[0].self());
    EXPECT_EQ(peers[0].peer_id(), PeerId(1).ToString());
    EXPECT_EQ(peers[1].peer_id(), PeerId(2).ToString());
    EXPECT_TRUE(actor_->CoordinatorStatus().connected());
    EXPECT_EQ(actor_->CoordinatorStatus().address(), "coordinator:7600");
  });
}

TEST_F(MembershipActorTest, StepsAreRepublishedOncePerInterval) {
  Start({TestPeer(2).address()});
  Pong(TestPeer(2));
  const int before = views_;
  v1::Member peer = TestPeer(2);
  for (int i = 1; i <= 100; ++i) {
    peer.set_step(i);
    Control(PingFrom(peer));
    executor_.Advance(absl::Milliseconds(30));
  }
  EXPECT_GE(views_ - before, 2);
  EXPECT_LE(views_ - before, 5);
}

}  // namespace
}  // namespace starling
