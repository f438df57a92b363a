#include "peer/membership/membership.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace starling {
namespace {

constexpr uint64_t kSelf = 100;
constexpr uint64_t kRun = 77;

v1::Member Peer(uint64_t id, v1::PeerState state = v1::PEER_STATE_ALIVE,
                uint64_t incarnation = 1) {
  v1::Member member;
  member.set_peer_id(id);
  member.set_incarnation(incarnation);
  member.set_address(absl::StrCat("10.0.0.1:", 7000 + id));
  member.set_state(state);
  return member;
}

// One peer's membership, and a network of which the test says who answers.
class MembershipTest : public testing::Test {
 protected:
  // What `peer` sends and answers.
  v1::ControlRequest PingFrom(const v1::Member& peer, std::vector<v1::Member> view = {}) {
    v1::ControlRequest request;
    *request.mutable_sender() = peer;
    request.set_run_id(kRun);
    request.mutable_ping();
    for (const v1::Member& member : view) *request.mutable_ping()->add_members() = member;
    return request;
  }
  v1::ControlResponse PongFrom(const v1::Member& peer, std::vector<v1::Member> view = {}) {
    v1::ControlResponse response;
    *response.mutable_sender() = peer;
    response.set_run_id(kRun);
    response.mutable_pong();
    for (const v1::Member& member : view) *response.mutable_pong()->add_members() = member;
    return response;
  }

  // Carries out all calls wanted: members of `up_` answer, nobody listens at other addresses,
  // addresses of `mute_` swallow the call. Returns whom was called.
  std::vector<std::string> RunCalls() {
    std::vector<std::string> called;
    for (std::vector<PingAction> pings = core_.TakePings(); !pings.empty();
         pings = core_.TakePings()) {
      for (const PingAction& ping : pings) {
        called.push_back(ping.address);
        Answer(ping);
      }
    }
    return called;
  }
  void Answer(const PingAction& ping) {
    if (std::find(mute_.begin(), mute_.end(), ping.address) != mute_.end()) {
      ++swallowed_;
      unanswered_.push_back({now_ + ping.timeout, ping});
      return;
    }
    for (const v1::Member& peer : up_) {
      if (peer.address() != ping.address) continue;
      core_.OnAnswer(now_, ping, PongFrom(peer), absl::Milliseconds(2));
      return;
    }
    core_.OnNoAnswer(now_, ping, "connection refused");
  }

  // Lets time pass, tick by tick, with calls carried out.
  void Pass(absl::Duration time) {
    for (const absl::Time end = now_ + time; now_ < end;) {
      now_ += options_.ping_interval / 10;
      for (size_t i = 0; i < unanswered_.size();) {
        if (unanswered_[i].first > now_) {
          ++i;
          continue;
        }
        core_.OnNoAnswer(now_, unanswered_[i].second, "deadline exceeded");
        unanswered_.erase(unanswered_.begin() + i);
      }
      core_.OnTick(now_);
      RunCalls();
    }
  }
  // `peer` is up, has called us and answered us.
  void Meet(const v1::Member& peer) {
    up_.push_back(peer);
    core_.OnPing(now_, PingFrom(peer));
    RunCalls();
    ASSERT_EQ(State(peer.peer_id()), peer.state());
    core_.TakeTransitions();
  }
  void GoesDown(uint64_t id) {
    std::erase_if(up_, [&](const v1::Member& peer) { return peer.peer_id() == id; });
  }

  const MemberView* Find(uint64_t id) {
    view_ = core_.Snapshot();
    for (const MemberView& member : view_.others) {
      if (member.member.peer_id() == id) return &member;
    }
    return nullptr;
  }
  v1::PeerState State(uint64_t id) {
    const MemberView* found = Find(id);
    return found == nullptr ? v1::PEER_STATE_UNSPECIFIED : found->member.state();
  }
  std::string Reason(uint64_t id) {
    const MemberView* found = Find(id);
    return found == nullptr ? "" : found->member.reason();
  }

  MembershipOptions options_ = MembershipOptions::Lan();
  absl::Time now_ = absl::UnixEpoch() + absl::Hours(1);
  Membership core_{options_, Peer(kSelf, v1::PEER_STATE_JOINING), RunId(kRun), now_};
  std::vector<v1::Member> up_;
  std::vector<std::string> mute_;
  int swallowed_ = 0;
  std::vector<std::pair<absl::Time, PingAction>> unanswered_;
  MembershipView view_;
};

TEST_F(MembershipTest, CallerIsCalledBackAndAliveOnceItAnswers) {
  core_.OnPing(now_, PingFrom(Peer(1)));
  EXPECT_EQ(State(1), v1::PEER_STATE_UNSPECIFIED) << "a candidate is not shown";
  const std::vector<PingAction> pings = core_.TakePings();
  ASSERT_EQ(pings.size(), 1);
  EXPECT_EQ(pings[0].address, Peer(1).address());
  core_.OnAnswer(now_, pings[0], PongFrom(Peer(1)), absl::Milliseconds(3));
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
  EXPECT_EQ(Find(1)->rtt, absl::Milliseconds(3));
  const std::vector<MemberTransition> transitions = core_.TakeTransitions();
  ASSERT_EQ(transitions.size(), 1);
  EXPECT_EQ(transitions[0].from, v1::PEER_STATE_UNSPECIFIED);
}

TEST_F(MembershipTest, MemberIsWhatItSaysItIs) {
  v1::Member peer = Peer(1, v1::PEER_STATE_JOINING);
  Meet(peer);
  EXPECT_FALSE(core_.anyone_training());
  peer.set_state(v1::PEER_STATE_ALIVE);
  peer.set_step(12);
  peer.set_slot(3);
  core_.OnPing(now_, PingFrom(peer));
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
  EXPECT_EQ(Find(1)->member.step(), 12);
  EXPECT_EQ(Find(1)->member.slot(), 3);
  EXPECT_TRUE(core_.anyone_training());
  EXPECT_EQ(core_.reachable(), 2);
}

TEST_F(MembershipTest, EveryMemberIsCalledOncePerInterval) {
  for (uint64_t id = 1; id <= 8; ++id) Meet(Peer(id));
  Pass(2 * options_.ping_interval);
  std::map<std::string, int> calls;
  std::map<absl::Time, int> at_once;
  for (int tick = 0; tick < 50; ++tick) {
    now_ += options_.ping_interval / 10;
    core_.OnTick(now_);
    for (const std::string& address : RunCalls()) {
      ++calls[address];
      ++at_once[now_];
    }
  }
  ASSERT_EQ(calls.size(), 8);
  for (const auto& [address, count] : calls) EXPECT_EQ(count, 5) << address;
  for (const auto& [time, count] : at_once) EXPECT_LE(count, 3) << "calls are spread out";
}

TEST_F(MembershipTest, RefusedCallMakesAMemberSuspectAtOnceAndSilenceMakesItDead) {
  Meet(Peer(1));
  GoesDown(1);
  Pass(options_.ping_interval);
  EXPECT_EQ(State(1), v1::PEER_STATE_SUSPECT);
  EXPECT_EQ(Reason(1), "no answer: connection refused");
  Pass(options_.dead_after - options_.ping_interval - absl::Seconds(0.2));
  EXPECT_EQ(State(1), v1::PEER_STATE_SUSPECT);
  Pass(absl::Seconds(0.4));
  EXPECT_EQ(State(1), v1::PEER_STATE_DEAD);
  EXPECT_TRUE(absl::StartsWith(Reason(1), "silent for 5.")) << Reason(1);
  EXPECT_TRUE(absl::EndsWith(Reason(1), "(connection refused)")) << Reason(1);
}

TEST_F(MembershipTest, UnansweredCallMakesAMemberSuspectAfterAWhile) {
  Meet(Peer(1));
  mute_.push_back(Peer(1).address());
  Pass(options_.suspect_after);
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
  Pass(options_.ping_interval);
  EXPECT_EQ(State(1), v1::PEER_STATE_SUSPECT);
  EXPECT_TRUE(absl::StartsWith(Reason(1), "no answer")) << Reason(1);
}

TEST_F(MembershipTest, SuspectThatAnswersIsAliveAgain) {
  Meet(Peer(1));
  mute_.push_back(Peer(1).address());
  Pass(absl::Seconds(3));
  ASSERT_EQ(State(1), v1::PEER_STATE_SUSPECT);
  mute_.clear();
  Pass(absl::Seconds(3));
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
  EXPECT_EQ(Reason(1), "answers again");
}

TEST_F(MembershipTest, SuspectThatCallsIsCalledBackAtOnce) {
  Meet(Peer(1));
  GoesDown(1);
  Pass(absl::Seconds(1));
  ASSERT_EQ(State(1), v1::PEER_STATE_SUSPECT);
  up_.push_back(Peer(1));
  core_.OnPing(now_, PingFrom(Peer(1)));
  RunCalls();
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
}

TEST_F(MembershipTest, MemberThatCallsButCannotBeReachedStaysSuspect) {
  for (int second = 0; second < 20; ++second) {
    core_.OnPing(now_, PingFrom(Peer(1)));
    RunCalls();
    Pass(absl::Seconds(1));
    EXPECT_NE(State(1), v1::PEER_STATE_ALIVE);
    EXPECT_NE(State(1), v1::PEER_STATE_DEAD);
  }
}

TEST_F(MembershipTest, BrokenPathCausesACallOutOfTurn) {
  Meet(Peer(1));
  GoesDown(1);
  core_.OnPathBroken(now_, Peer(1).address());
  EXPECT_EQ(RunCalls().size(), 1);
  EXPECT_EQ(State(1), v1::PEER_STATE_SUSPECT);
  core_.OnPathBroken(now_, Peer(1).address());
  EXPECT_TRUE(RunCalls().empty()) << "a suspect waits for its turn";
}

TEST_F(MembershipTest, GoodbyeIsFinalForItsIncarnation) {
  Meet(Peer(1));
  core_.OnGoodbye(now_, Peer(1), "SIGTERM");
  EXPECT_EQ(State(1), v1::PEER_STATE_LEFT);
  EXPECT_EQ(Reason(1), "left: SIGTERM");
  core_.OnPing(now_, PingFrom(Peer(1)));
  EXPECT_EQ(State(1), v1::PEER_STATE_LEFT) << "a call that arrives late";
  Pass(absl::Minutes(2));
  EXPECT_TRUE(RunCalls().empty());
  EXPECT_EQ(State(1), v1::PEER_STATE_LEFT);
  GoesDown(1);
  Meet(Peer(1, v1::PEER_STATE_JOINING, 2));
}

TEST_F(MembershipTest, GoodbyeAsAnAnswerCounts) {
  Meet(Peer(1));
  Pass(absl::Seconds(0.1));
  core_.OnPathBroken(now_, Peer(1).address());
  const std::vector<PingAction> pings = core_.TakePings();
  ASSERT_EQ(pings.size(), 1);
  v1::ControlResponse response = PongFrom(Peer(1));
  response.mutable_goodbye()->set_reason("finished");
  core_.OnAnswer(now_, pings[0], response, absl::Milliseconds(1));
  EXPECT_EQ(State(1), v1::PEER_STATE_LEFT);
}

TEST_F(MembershipTest, HigherIncarnationReplacesAndLowerIsIgnored) {
  Meet(Peer(1, v1::PEER_STATE_ALIVE, 5));
  v1::Member restarted = Peer(1, v1::PEER_STATE_JOINING, 6);
  restarted.set_address("10.0.0.9:9999");
  up_ = {restarted};
  core_.OnPing(now_, PingFrom(restarted));
  EXPECT_EQ(State(1), v1::PEER_STATE_SUSPECT) << "not chosen until the new process answers";
  RunCalls();
  EXPECT_EQ(State(1), v1::PEER_STATE_JOINING);
  EXPECT_EQ(Find(1)->member.address(), "10.0.0.9:9999");
  core_.OnPing(now_, PingFrom(Peer(1, v1::PEER_STATE_ALIVE, 5)));
  core_.OnGoodbye(now_, Peer(1, v1::PEER_STATE_ALIVE, 5), "late");
  EXPECT_EQ(State(1), v1::PEER_STATE_JOINING);
  EXPECT_EQ(Find(1)->member.incarnation(), 6);
}

TEST_F(MembershipTest, FailedCallToAnAddressThatAMemberHasLeftMeansNothing) {
  Meet(Peer(1));
  core_.OnPathBroken(now_, Peer(1).address());
  const std::vector<PingAction> to_the_old_address = core_.TakePings();
  ASSERT_EQ(to_the_old_address.size(), 1);
  v1::Member moved = Peer(1);
  moved.set_address("10.0.0.9:9999");
  core_.OnPing(now_, PingFrom(moved));
  core_.OnNoAnswer(now_, to_the_old_address[0], "connection refused");
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
}

TEST_F(MembershipTest, NextCallFollowsOneThatTimedOutAtOnce) {
  Meet(Peer(1));
  mute_.push_back(Peer(1).address());
  Pass(options_.ping_interval);
  const int before = swallowed_;
  Pass(2 * options_.suspect_after);
  EXPECT_EQ(swallowed_ - before, 2) << "every 1.5 s, not every 2 s";
}

TEST_F(MembershipTest, DeadMemberIsCalledNowAndThenAndComesBack) {
  Meet(Peer(1));
  GoesDown(1);
  Pass(absl::Seconds(10));
  ASSERT_EQ(State(1), v1::PEER_STATE_DEAD);
  int calls = 0;
  for (int second = 0; second < 120; ++second) {
    now_ += absl::Seconds(1);
    core_.OnTick(now_);
    calls += RunCalls().size();
  }
  EXPECT_EQ(calls, 4) << "two minutes at one call in 30 s";
  up_.push_back(Peer(1));
  Pass(options_.heal_interval + absl::Seconds(1));
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE) << "the partition healed";
}

TEST_F(MembershipTest, SeedIsCalledUntilItAnswersAndItsIdIsLearned) {
  core_.AddSeed(now_, Peer(1).address());
  EXPECT_FALSE(core_.seeds_tried());
  Pass(absl::Seconds(3));
  EXPECT_TRUE(core_.seeds_tried());
  EXPECT_FALSE(core_.any_seed_answered());
  EXPECT_EQ(State(1), v1::PEER_STATE_UNSPECIFIED);
  up_.push_back(Peer(1));
  Pass(absl::Seconds(2));
  EXPECT_TRUE(core_.any_seed_answered());
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
}

TEST_F(MembershipTest, SeedThatIsOurselvesIsIgnored) {
  core_.AddSeed(now_, Peer(kSelf).address());
  core_.AddSeed(now_, "alias:7100");
  v1::Member alias = Peer(kSelf);
  alias.set_address("alias:7100");
  up_.push_back(alias);
  Pass(absl::Seconds(3));
  EXPECT_TRUE(core_.Snapshot().others.empty());
  now_ += absl::Seconds(1);
  core_.OnTick(now_);
  EXPECT_TRUE(RunCalls().empty()) << "the alias answered once and that was that";
  EXPECT_EQ(core_.superseded(), "");
}

TEST_F(MembershipTest, ViewsSpreadInAnswersAndCallsAsCandidates) {
  up_ = {Peer(2)};
  core_.OnPing(now_, PingFrom(Peer(1), {Peer(2), Peer(3)}));
  EXPECT_TRUE(core_.has_untried());
  EXPECT_EQ(State(2), v1::PEER_STATE_UNSPECIFIED) << "hearsay makes nobody alive";
  RunCalls();
  EXPECT_FALSE(core_.has_untried());
  EXPECT_EQ(State(2), v1::PEER_STATE_ALIVE);
  EXPECT_EQ(State(3), v1::PEER_STATE_UNSPECIFIED);
  Pass(options_.dead_after + absl::Seconds(1));
  EXPECT_EQ(State(3), v1::PEER_STATE_DEAD);
  EXPECT_EQ(Reason(3), "never answered (connection refused)");
}

TEST_F(MembershipTest, HearsayOfDeathMeansNothingAndOfLeavingIsBelieved) {
  Meet(Peer(1));
  Meet(Peer(2));
  Meet(Peer(3));
  core_.OnPing(now_, PingFrom(Peer(1), {Peer(2, v1::PEER_STATE_DEAD), Peer(3, v1::PEER_STATE_LEFT),
                                        Peer(4, v1::PEER_STATE_DEAD)}));
  EXPECT_EQ(State(2), v1::PEER_STATE_ALIVE);
  EXPECT_EQ(State(3), v1::PEER_STATE_LEFT);
  EXPECT_EQ(State(4), v1::PEER_STATE_UNSPECIFIED);
}

TEST_F(MembershipTest, HearsayOfLeavingOfAnOldIncarnationIsIgnored) {
  Meet(Peer(1));
  Meet(Peer(2, v1::PEER_STATE_ALIVE, 5));
  core_.OnPing(now_, PingFrom(Peer(1), {Peer(2, v1::PEER_STATE_LEFT, 4)}));
  EXPECT_EQ(State(2), v1::PEER_STATE_ALIVE);
}

TEST_F(MembershipTest, HearsayDoesNotRaiseTheDeadButHasThemCalled) {
  Meet(Peer(1));
  Meet(Peer(2));
  GoesDown(2);
  Pass(absl::Seconds(10));
  ASSERT_EQ(State(2), v1::PEER_STATE_DEAD);
  core_.OnPing(now_, PingFrom(Peer(1), {Peer(2)}));
  EXPECT_EQ(State(2), v1::PEER_STATE_DEAD);
  EXPECT_EQ(RunCalls().size(), 1);
  now_ += options_.ping_interval;
  core_.OnPing(now_, PingFrom(Peer(1), {Peer(2, v1::PEER_STATE_DEAD)}));
  EXPECT_TRUE(RunCalls().empty()) << "everybody agrees";
  core_.OnPing(now_, PingFrom(Peer(1), {Peer(2)}));
  EXPECT_EQ(RunCalls().size(), 1);
  core_.OnPing(now_, PingFrom(Peer(1), {Peer(2)}));
  EXPECT_TRUE(RunCalls().empty()) << "not more than once per interval";
  up_.push_back(Peer(2));
  now_ += options_.ping_interval;
  core_.OnPing(now_, PingFrom(Peer(1), {Peer(2)}));
  RunCalls();
  EXPECT_EQ(State(2), v1::PEER_STATE_ALIVE);
}

TEST_F(MembershipTest, WhatWeSendLeavesOutCandidatesAndGoesRoundInTurns) {
  options_.members_per_message = 2;
  Membership core(options_, Peer(kSelf), RunId(kRun), now_);
  for (uint64_t id : {1, 2, 3}) {
    core.OnPing(now_, PingFrom(Peer(id)));
    core.OnAnswer(now_, core.TakePings().at(0), PongFrom(Peer(id)), absl::Milliseconds(1));
  }
  core.OnPing(now_, PingFrom(Peer(4)));
  std::vector<uint64_t> sent;
  for (int message = 0; message < 3; ++message) {
    for (const v1::Member& member : core.MembersToSend()) sent.push_back(member.peer_id());
  }
  EXPECT_EQ(sent, (std::vector<uint64_t>{1, 2, 3, 1, 2, 3}));
}

TEST_F(MembershipTest, MemberOfAnotherRunIsNeverChosen) {
  v1::ControlRequest foreign = PingFrom(Peer(1), {Peer(2)});
  foreign.set_run_id(kRun + 1);
  core_.OnPing(now_, foreign);
  EXPECT_EQ(State(1), v1::PEER_STATE_INCOMPATIBLE);
  EXPECT_TRUE(absl::StartsWith(Reason(1), "belongs to run ")) << Reason(1);
  EXPECT_TRUE(RunCalls().empty()) << "nor are its acquaintances";
  EXPECT_EQ(core_.reachable(), 1);
  EXPECT_EQ(core_.foreign_seed(), "") << "it came to us, we were not sent to it";
  Meet(Peer(1, v1::PEER_STATE_ALIVE, 2));
}

TEST_F(MembershipTest, SeedOfAnotherRunIsReported) {
  core_.AddSeed(now_, Peer(1).address());
  core_.OnTick(now_);
  const std::vector<PingAction> pings = core_.TakePings();
  ASSERT_EQ(pings.size(), 1);
  v1::ControlResponse response = PongFrom(Peer(1));
  response.set_run_id(kRun + 1);
  core_.OnAnswer(now_, pings[0], response, absl::Milliseconds(1));
  EXPECT_TRUE(absl::StrContains(core_.foreign_seed(), Peer(1).address())) << core_.foreign_seed();
}

TEST_F(MembershipTest, PeerThatDoesNotKnowItsRunYetIsCompatible) {
  v1::ControlRequest request = PingFrom(Peer(1));
  request.set_run_id(0);
  up_ = {Peer(1)};
  core_.OnPing(now_, request);
  RunCalls();
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
}

TEST_F(MembershipTest, AnotherProcessUnderOurIdWithAHigherIncarnationSupersedesUs) {
  core_.OnPing(now_, PingFrom(Peer(kSelf, v1::PEER_STATE_ALIVE, 1)));
  EXPECT_EQ(core_.superseded(), "");
  core_.OnPing(now_, PingFrom(Peer(1), {Peer(kSelf, v1::PEER_STATE_ALIVE, 2)}));
  EXPECT_TRUE(absl::StrContains(core_.superseded(), "higher incarnation"));
}

TEST_F(MembershipTest, AddressTakenOverByAnotherPeerEndsTheOldOne) {
  Meet(Peer(1));
  v1::Member successor = Peer(2);
  successor.set_address(Peer(1).address());
  up_ = {successor};
  Pass(absl::Seconds(2));
  EXPECT_EQ(State(1), v1::PEER_STATE_DEAD);
  EXPECT_TRUE(absl::EndsWith(Reason(1), "answers at its address")) << Reason(1);
  EXPECT_EQ(State(2), v1::PEER_STATE_ALIVE);
  int calls = 0;
  for (int second = 0; second < 60; ++second) {
    now_ += options_.ping_interval;
    core_.OnTick(now_);
    calls += RunCalls().size();
  }
  EXPECT_EQ(calls, 60) << "the old one is not called where the new one lives";
  EXPECT_EQ(State(1), v1::PEER_STATE_DEAD);
}

TEST_F(MembershipTest, OwnPauseIsNotHeldAgainstOthers) {
  Meet(Peer(1));
  Meet(Peer(2));
  core_.TakeTransitions();
  now_ += absl::Minutes(10);  // SIGSTOP
  core_.OnTick(now_);
  EXPECT_TRUE(core_.TakeTransitions().empty());
  GoesDown(2);
  EXPECT_EQ(RunCalls().size(), 2) << "everybody is called at once";
  Pass(absl::Seconds(1));
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
  EXPECT_EQ(State(2), v1::PEER_STATE_SUSPECT) << "and has as long as ever to answer";
  Pass(options_.dead_after);
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
  EXPECT_EQ(State(2), v1::PEER_STATE_DEAD) << "others' silence counts as before";
}

TEST_F(MembershipTest, CoordinatorIntroducesMembersAndShowsPastFailures) {
  v1::SwarmView view;
  *view.add_members() = Peer(1);
  *view.add_members() = Peer(2, v1::PEER_STATE_DEAD);
  view.mutable_members(1)->set_reason("no heartbeat for 5.2 s");
  *view.add_members() = Peer(3, v1::PEER_STATE_LEFT);
  *view.add_members() = Peer(kSelf);
  up_ = {Peer(1)};
  core_.OnSwarmView(now_, view);
  EXPECT_EQ(RunCalls(), std::vector<std::string>{Peer(1).address()});
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
  EXPECT_EQ(State(2), v1::PEER_STATE_DEAD);
  EXPECT_EQ(Reason(2), "no heartbeat for 5.2 s");
  EXPECT_EQ(State(3), v1::PEER_STATE_LEFT);
}

TEST_F(MembershipTest, CoordinatorsDeathSentenceNeedsOurOwnSilence) {
  Meet(Peer(1));
  v1::SwarmView view;
  *view.add_members() = Peer(1, v1::PEER_STATE_DEAD);
  core_.OnSwarmView(now_, view);
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE) << "it only lost its way to the coordinator";
  Meet(Peer(2));
  mute_.push_back(Peer(2).address());
  *view.add_members() = Peer(2, v1::PEER_STATE_LEFT);
  core_.OnSwarmView(now_, view);
  EXPECT_EQ(State(2), v1::PEER_STATE_LEFT) << "its own word, passed on";
}

TEST_F(MembershipTest, NonsenseFromTheNetworkIsIgnored) {
  v1::Member nameless = Peer(0);
  v1::Member homeless = Peer(1);
  homeless.set_address("nowhere");
  v1::Member dark = Peer(2);
  dark.set_address("10.0.0.1:0");
  core_.OnPing(now_, PingFrom(nameless, {Peer(3)}));
  core_.OnPing(now_, PingFrom(homeless, {Peer(3)}));
  core_.OnPing(now_, PingFrom(dark));
  core_.OnGoodbye(now_, Peer(4), "who are you?");
  EXPECT_TRUE(RunCalls().empty());
  Meet(Peer(5));
  core_.OnPing(now_, PingFrom(Peer(5), {nameless, homeless, dark}));
  EXPECT_TRUE(RunCalls().empty());
  EXPECT_EQ(core_.Snapshot().others.size(), 1);
}

TEST_F(MembershipTest, TableIsBounded) {
  options_.max_members = 3;
  options_.max_departed = 2;
  Membership core(options_, Peer(kSelf), RunId(kRun), now_);
  for (uint64_t id = 1; id <= 10; ++id) core.OnPing(now_, PingFrom(Peer(id)));
  EXPECT_EQ(core.TakePings().size(), 3);
  v1::SwarmView view;
  for (uint64_t id = 20; id < 30; ++id) *view.add_members() = Peer(id, v1::PEER_STATE_DEAD);
  core.OnSwarmView(now_, view);
  EXPECT_LE(core.Snapshot().others.size(), 5);
}

TEST_F(MembershipTest, TheDepartedAreForgottenAfterADay) {
  Meet(Peer(1));
  core_.OnGoodbye(now_, Peer(1), "");
  now_ += absl::Hours(23);
  core_.OnTick(now_);
  EXPECT_EQ(State(1), v1::PEER_STATE_LEFT);
  now_ += absl::Hours(1);
  core_.OnTick(now_);
  EXPECT_EQ(State(1), v1::PEER_STATE_UNSPECIFIED);
}

TEST_F(MembershipTest, RoundTripTimesAreSmoothed) {
  Meet(Peer(1));
  Pass(absl::Seconds(20));
  core_.OnPathBroken(now_, Peer(1).address());
  const std::vector<PingAction> pings = core_.TakePings();
  ASSERT_EQ(pings.size(), 1);
  core_.OnAnswer(now_, pings[0], PongFrom(Peer(1)), absl::Milliseconds(10));
  EXPECT_EQ(Find(1)->rtt, absl::Milliseconds(3));
}

TEST_F(MembershipTest, ChoosersHearOfChangesAndNotOfSteps) {
  Meet(Peer(1));
  EXPECT_TRUE(core_.TakeChanged());
  v1::Member peer = Peer(1);
  peer.set_step(5);
  core_.OnPing(now_, PingFrom(peer));
  EXPECT_FALSE(core_.TakeChanged());
  core_.OnGoodbye(now_, Peer(1), "");
  EXPECT_TRUE(core_.TakeChanged());
}

TEST(MembershipOptionsTest, PresetsAreValidAndNonsenseNamesTheField) {
  for (const MembershipOptions& options :
       {MembershipOptions::Lan(), MembershipOptions::Fast(), MembershipOptions::Wan()}) {
    EXPECT_TRUE(options.Validate().ok()) << options.Validate();
  }
  MembershipOptions options;
  options.dead_after = options.suspect_after;
  EXPECT_TRUE(absl::StartsWith(options.Validate().message(), "dead_after"));
  options = {};
  options.members_per_message = 0;
  EXPECT_TRUE(absl::StartsWith(options.Validate().message(), "members_per_message"));
}

}  // namespace
}  // namespace starling
