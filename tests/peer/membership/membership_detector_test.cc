// Who is looked for, who is suspected, and what it takes to be dead.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/peer/membership/membership_world.h"

namespace starling {
namespace {

class DetectorTest : public MembershipWorld {
 protected:
  void MeetMany(uint64_t count) {
    for (uint64_t id = 1; id <= count; ++id) Meet(Peer(id));
  }
};

TEST_F(DetectorTest, OneMemberIsLookedForInEachIntervalAndEachInItsTurn) {
  MeetMany(8);
  Pass(options_.ping_interval);
  std::map<std::string, int> looks;
  for (const PingAction& call : Pass(16 * options_.ping_interval)) {
    if (call.purpose == Purpose::kProbe) ++looks[call.address];
  }
  ASSERT_EQ(looks.size(), 8);
  int total = 0;
  for (const auto& [address, count] : looks) {
    EXPECT_GE(count, 1) << address;
    EXPECT_LE(count, 3) << address;
    total += count;
  }
  EXPECT_NEAR(total, 16, 1);
}

TEST_F(DetectorTest, WhoeverDoesNotAnswerUsButHelpersIsNotSuspected) {
  MeetMany(5);
  cut_.insert(Peer(1).address());
  Pass(absl::Seconds(20));
  EXPECT_EQ(Told(1).state(), v1::PEER_STATE_ALIVE) << "the swarm has not lost it";
  EXPECT_EQ(State(1), v1::PEER_STATE_SUSPECT) << "but nothing can be exchanged with it from here";
  EXPECT_TRUE(absl::StartsWith(Reason(1), "answers others, not us")) << Reason(1);
  cut_.clear();
  Pass(absl::Seconds(10));
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
  EXPECT_EQ(Reason(1), "answers again");
}

TEST_F(DetectorTest, WhoWasDeadToUsBeforeItEverAnsweredDoesNotAnswerAgain) {
  Meet(Peer(1));
  FallsSilent(2);
  core_.OnPing(now_, PingFrom(Peer(1), {Peer(2)}));
  Pass(absl::Minutes(1));
  ASSERT_EQ(State(2), v1::PEER_STATE_DEAD);
  mute_.clear();
  Meet(Peer(2));
  EXPECT_EQ(Reason(2), "answers for the first time");
}

TEST_F(DetectorTest, HelpersAreAskedForAtMostSoManyAndWithinTheInterval) {
  MeetMany(8);
  FallsSilent(1);
  std::vector<PingAction> asked;
  while (State(1) == v1::PEER_STATE_ALIVE) {
    for (const PingAction& call : Pass(core_.tick_interval())) {
      if (call.purpose == Purpose::kHelp) asked.push_back(call);
    }
  }
  ASSERT_EQ(asked.size(), static_cast<size_t>(options_.helpers));
  for (const PingAction& call : asked) {
    EXPECT_EQ(call.target, PeerId(1));
    EXPECT_NE(call.expected, PeerId(1));
    EXPECT_LE(call.timeout, options_.ping_interval - options_.ping_timeout);
  }
}

TEST_F(DetectorTest, RefusedCallMakesAMemberSuspectAtOnceAndSilenceMakesItDead) {
  Meet(Peer(1));
  Meet(Peer(2));
  GoesDown(1);
  Pass(options_.gossip_interval);
  EXPECT_EQ(State(1), v1::PEER_STATE_SUSPECT) << "news that cannot be delivered is a hint";
  EXPECT_EQ(Reason(1), "no answer: connection refused");
  Pass(LeastRespite() - absl::Seconds(0.4));
  EXPECT_EQ(State(1), v1::PEER_STATE_SUSPECT);
  Pass(absl::Seconds(0.8));
  EXPECT_EQ(State(1), v1::PEER_STATE_DEAD);
  EXPECT_TRUE(absl::StartsWith(Reason(1), "silent for 4.")) << Reason(1);
  EXPECT_TRUE(absl::EndsWith(Reason(1), "(connection refused)")) << Reason(1);
}

TEST_F(DetectorTest, SilenceIsSuspectedWithinTheIntervalOfTheLook) {
  Meet(Peer(1));
  Meet(Peer(2));
  FallsSilent(1);
  const absl::Time fell = now_;
  while (State(1) == v1::PEER_STATE_ALIVE) Pass(core_.tick_interval());
  EXPECT_GE(now_ - fell, options_.ping_timeout);
  EXPECT_LE(now_ - fell, 4 * options_.ping_interval) << "two turns of two at most";
}

TEST_F(DetectorTest, BrokenPathCausesALookOutOfTurn) {
  Meet(Peer(1));
  GoesDown(1);
  core_.OnPathBroken(now_, Peer(1).address());
  EXPECT_EQ(RunCalls().size(), 1);
  EXPECT_EQ(State(1), v1::PEER_STATE_SUSPECT);
  core_.OnPathBroken(now_, Peer(1).address());
  EXPECT_TRUE(RunCalls().empty()) << "a suspect waits for its turn";
}

TEST_F(DetectorTest, SuspectThatContradictsIsAliveAgain) {
  Meet(Peer(1));
  FallsSilent(1);
  Pass(absl::Seconds(3));
  ASSERT_EQ(State(1), v1::PEER_STATE_SUSPECT);
  mute_.clear();
  Pass(absl::Seconds(3));
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
  EXPECT_EQ(Find(1)->member.refutations(), 1);
}

TEST_F(DetectorTest, SuspectThatCallsIsCalledBackAtOnce) {
  Meet(Peer(1));
  GoesDown(1);
  Pass(absl::Seconds(1));
  ASSERT_EQ(State(1), v1::PEER_STATE_SUSPECT);
  now_ += absl::Seconds(0.3);
  up_.push_back(Peer(1));
  core_.OnPing(now_, PingFrom(Peer(1)));
  RunCalls();
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
}

TEST_F(DetectorTest, MemberThatCallsButCannotBeReachedStaysSuspect) {
  for (int second = 0; second < 30; ++second) {
    core_.OnPing(now_, PingFrom(Peer(1)));
    RunCalls();
    Pass(absl::Seconds(1));
    EXPECT_NE(State(1), v1::PEER_STATE_ALIVE);
    EXPECT_NE(State(1), v1::PEER_STATE_DEAD);
  }
}

TEST_F(DetectorTest, AnUnconfirmedSuspicionLastsLongerThanAConfirmedOne) {
  MeetMany(6);
  FallsSilent(1);
  FallsSilent(2);
  const v1::Member first = Suspected(Peer(1), {3});
  const v1::Member second = Suspected(Peer(2), {3, 4, 5});
  core_.OnPing(now_, PingFrom(Peer(3), {first, second}));
  EXPECT_EQ(State(1), v1::PEER_STATE_SUSPECT);
  EXPECT_EQ(Reason(1), "suspected by peer 0000000000000003");
  EXPECT_EQ(State(2), v1::PEER_STATE_SUSPECT);
  Pass(LeastRespite() + absl::Seconds(0.2));
  EXPECT_EQ(State(2), v1::PEER_STATE_DEAD);
  EXPECT_EQ(State(1), v1::PEER_STATE_SUSPECT);
  Pass(options_.SuspicionMax(6));
  EXPECT_EQ(State(1), v1::PEER_STATE_DEAD);
}

TEST_F(DetectorTest, ARumourAgainstAnOlderWordOfAMemberIsIgnored) {
  Meet(Peer(1));
  v1::Member steadfast = Peer(2);
  steadfast.set_refutations(3);
  Meet(steadfast);
  v1::Member stale = Suspected(Peer(2), {1});
  stale.set_refutations(2);
  core_.OnPing(now_, PingFrom(Peer(1), {stale}));
  stale.set_state(v1::PEER_STATE_DEAD);
  core_.OnPing(now_, PingFrom(Peer(1), {stale}));
  EXPECT_EQ(State(2), v1::PEER_STATE_ALIVE);
}

TEST_F(DetectorTest, ContradictionByHearsayEndsASuspicion) {
  Meet(Peer(1));
  Meet(Peer(2));
  FallsSilent(2);
  core_.OnPing(now_, PingFrom(Peer(1), {Suspected(Peer(2), {1})}));
  ASSERT_EQ(State(2), v1::PEER_STATE_SUSPECT);
  v1::Member contradicts = Peer(2);
  contradicts.set_refutations(1);
  core_.OnPing(now_, PingFrom(Peer(1), {contradicts}));
  EXPECT_EQ(State(2), v1::PEER_STATE_ALIVE);
}

TEST_F(DetectorTest, DeathOfAMemberThatAnsweredAMomentAgoIsLookedIntoFirst) {
  Meet(Peer(1));
  Meet(Peer(2));
  Meet(Peer(3));
  Pass(absl::Seconds(1));
  GoesDown(3);
  now_ += absl::Seconds(0.3);
  core_.OnPing(now_, PingFrom(Peer(1), {Peer(2, v1::PEER_STATE_DEAD), Peer(3, v1::PEER_STATE_DEAD),
                                        Peer(4, v1::PEER_STATE_DEAD)}));
  EXPECT_EQ(State(2), v1::PEER_STATE_ALIVE);
  RunCalls();
  EXPECT_EQ(State(2), v1::PEER_STATE_ALIVE);
  EXPECT_EQ(Find(2)->member.refutations(), 1) << "it was told, and contradicts for all to hear";
  EXPECT_EQ(State(3), v1::PEER_STATE_SUSPECT);
  EXPECT_EQ(State(4), v1::PEER_STATE_UNSPECIFIED);
}

TEST_F(DetectorTest, DeathOfASuspectIsBelieved) {
  Meet(Peer(1));
  Meet(Peer(2));
  FallsSilent(2);
  core_.OnPing(now_, PingFrom(Peer(1), {Suspected(Peer(2), {1})}));
  v1::Member dead = Peer(2, v1::PEER_STATE_DEAD);
  dead.set_reason("silent for 9.9 s");
  core_.OnPing(now_, PingFrom(Peer(1), {dead}));
  EXPECT_EQ(State(2), v1::PEER_STATE_DEAD);
  EXPECT_EQ(Reason(2), "silent for 9.9 s");
}

TEST_F(DetectorTest, TheDeadAreCalledNowAndThenAndComeBack) {
  Meet(Peer(1));
  GoesDown(1);
  Pass(absl::Seconds(10));
  ASSERT_EQ(State(1), v1::PEER_STATE_DEAD);
  const int calls = Count(Pass(absl::Minutes(2)), Purpose::kRetry);
  EXPECT_GE(calls, 3) << "two minutes at one call in 30 s";
  EXPECT_LE(calls, 5);
  up_.push_back(Peer(1));
  const std::vector<PingAction> made = Pass(1.1 * options_.heal_interval + absl::Seconds(1));
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE) << "the partition healed";
  EXPECT_GE(Count(made, Purpose::kSync), 1) << "and tables are compared";
}

TEST_F(DetectorTest, TheLongDeadAreCalledMoreRarely) {
  Meet(Peer(1));
  GoesDown(1);
  Pass(absl::Hours(3));
  const int calls = Count(Pass(absl::Hours(1)), Purpose::kRetry);
  EXPECT_GE(calls, 10);
  EXPECT_LE(calls, 14) << "every five minutes";
}

TEST_F(DetectorTest, TheDeadOfWhomOthersSayThatTheyLiveAreCalledAtOnce) {
  Meet(Peer(1));
  Meet(Peer(2));
  GoesDown(2);
  Pass(absl::Seconds(10));
  ASSERT_EQ(State(2), v1::PEER_STATE_DEAD);
  up_.push_back(Peer(2));
  core_.OnPing(now_, PingFrom(Peer(1), {Peer(2)}));
  EXPECT_EQ(State(2), v1::PEER_STATE_DEAD) << "hearsay does not raise the dead";
  RunCalls();
  EXPECT_EQ(State(2), v1::PEER_STATE_ALIVE);
}

TEST_F(DetectorTest, WeContradictRumoursOfOurOwnDeath) {
  Meet(Peer(1));
  core_.OnPing(now_, PingFrom(Peer(1), {Suspected(Peer(kSelf), {1})}));
  EXPECT_EQ(core_.self().refutations(), 1);
  core_.OnPing(now_, PingFrom(Peer(1), {Suspected(Peer(kSelf), {1})}));
  EXPECT_EQ(core_.self().refutations(), 1) << "it is contradicted already";
  v1::Member again = Peer(kSelf, v1::PEER_STATE_DEAD);
  again.set_refutations(1);
  core_.OnPing(now_, PingFrom(Peer(1), {again}));
  EXPECT_EQ(core_.self().refutations(), 2);
  EXPECT_EQ(core_.Status(now_).refutations(), 2);
  EXPECT_EQ(core_.Status(now_).health(), 2) << "perhaps it is we who are slow";
  bool told = false;
  for (const v1::Member& member : core_.MembersToSend(PeerId(1))) {
    told |= member.peer_id() == kSelf && member.refutations() == 2;
  }
  EXPECT_TRUE(told);
}

TEST_F(DetectorTest, AnAbsurdContradictionIsNotOurs) {
  Meet(Peer(1));
  v1::Member absurd = Suspected(Peer(kSelf), {1});
  absurd.set_refutations(~uint64_t{0});
  core_.OnPing(now_, PingFrom(Peer(1), {absurd}));
  EXPECT_EQ(core_.self().refutations(), 0);
}

TEST_F(DetectorTest, OwnPauseIsNotHeldAgainstOthers) {
  MeetMany(4);
  core_.TakeTransitions();
  now_ += absl::Minutes(10);  // SIGSTOP
  core_.OnTick(now_);
  EXPECT_TRUE(core_.TakeTransitions().empty());
  FallsSilent(2);
  EXPECT_GE(Count(RunCalls(), Purpose::kSync), 3) << "tables are compared at once";
  Pass(absl::Seconds(8));
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
  EXPECT_EQ(State(2), v1::PEER_STATE_SUSPECT) << "and has as long as ever to answer";
  Pass(options_.SuspicionMax(5));
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
  EXPECT_EQ(State(2), v1::PEER_STATE_DEAD) << "others' silence counts as before";
  EXPECT_EQ(core_.Status(now_).own_pauses(), 1);
}

TEST_F(DetectorTest, AfterAStandstillWeAreOutOfTouchUntilTablesAreCompared) {
  MeetMany(4);
  EXPECT_TRUE(core_.InTouch(now_));
  now_ += absl::Minutes(1);
  EXPECT_FALSE(core_.InTouch(now_)) << "whatever comes first notices it";
  EXPECT_FALSE(core_.InTouch(now_));
  core_.OnTick(now_);
  std::vector<PingAction> syncs;
  for (const PingAction& ping : core_.TakePings()) {
    if (ping.purpose == Purpose::kSync) {
      syncs.push_back(ping);
    } else {
      Answer(ping);
    }
  }
  ASSERT_EQ(syncs.size(), 3u);
  EXPECT_FALSE(core_.InTouch(now_)) << "a mere answer says little";
  Answer(syncs[1]);
  EXPECT_TRUE(core_.InTouch(now_));
}

TEST_F(DetectorTest, WhatWasAskedBeforeAStandstillSaysNothingOfNow) {
  MeetMany(4);
  const PingAction sync = Await(Purpose::kSync);
  now_ += absl::Minutes(1);
  Answer(sync);
  EXPECT_FALSE(core_.InTouch(now_));
  Pass(absl::Seconds(1));
  EXPECT_TRUE(core_.InTouch(now_));
}

TEST_F(DetectorTest, AShortPauseDoesNotPutUsOutOfTouch) {
  MeetMany(2);
  now_ += options_.ping_interval;
  EXPECT_TRUE(core_.InTouch(now_));
}

TEST_F(DetectorTest, WhoIsAloneAfterAStandstillWaitsForNobody) {
  now_ += absl::Minutes(1);
  EXPECT_FALSE(core_.InTouch(now_));
  core_.OnTick(now_);
  EXPECT_TRUE(core_.InTouch(now_));
  // Nor for ever for those who are gone.
  MeetMany(2);
  now_ += absl::Minutes(1);
  FallsSilent(1);
  FallsSilent(2);
  EXPECT_FALSE(core_.InTouch(now_));
  Pass(absl::Seconds(6));
  EXPECT_TRUE(core_.InTouch(now_));
}

TEST_F(DetectorTest, LookThatFailedWhileWeStoodStillProvesNothing) {
  Meet(Peer(1));
  const PingAction look = Await(Purpose::kProbe);
  now_ += absl::Seconds(15);
  core_.OnNoAnswer(now_, look, "deadline exceeded");
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
  EXPECT_TRUE(core_.TakePings().empty());
}

TEST_F(DetectorTest, SuspicionDoesNotRunWhileWeStandStill) {
  MeetMany(2);
  FallsSilent(1);
  while (State(1) == v1::PEER_STATE_ALIVE) Pass(core_.tick_interval());
  now_ += absl::Seconds(15);
  core_.OnTick(now_);
  Pass(LeastRespite() - absl::Seconds(0.3));
  EXPECT_EQ(State(1), v1::PEER_STATE_SUSPECT);
  Pass(absl::Seconds(0.6));
  EXPECT_EQ(State(1), v1::PEER_STATE_DEAD);
}

TEST_F(DetectorTest, HelpersThatFailWhileWeStoodStillProveNothing) {
  MeetMany(2);
  FallsSilent(1);
  lost_.insert(Purpose::kHelp);
  const auto asked = [this] {
    return std::find_if(unanswered_.begin(), unanswered_.end(), [](const auto& waiting) {
      return waiting.second.target == PeerId(1);
    });
  };
  for (int tick = 0; tick < 100 && asked() == unanswered_.end(); ++tick) {
    Pass(core_.tick_interval());
  }
  ASSERT_NE(asked(), unanswered_.end());
  now_ += absl::Seconds(15);
  core_.OnNoAnswer(now_, asked()->second, "deadline exceeded");
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
}

TEST_F(DetectorTest, TablesAreComparedAtOnceWithWhoeverComesBackFromTheDead) {
  Meet(Peer(1));
  GoesDown(1);
  Pass(absl::Seconds(10));
  ASSERT_EQ(State(1), v1::PEER_STATE_DEAD);
  const PingAction call = Await(Purpose::kRetry);
  v1::Member risen = Peer(1);
  risen.set_refutations(1);
  core_.OnAnswer(now_, call, PongFrom(risen), absl::Milliseconds(1));
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
  EXPECT_EQ(Count(core_.TakePings(), Purpose::kSync), 1);
}

TEST_F(DetectorTest, TheTimeInWhichSomebodyStoodStillIsNoStepOfIts) {
  v1::Member peer = Peer(1);
  peer.set_step(5);
  Meet(peer);
  mute_.insert(peer.address());
  Pass(absl::Minutes(1));
  ASSERT_EQ(State(1), v1::PEER_STATE_DEAD);
  mute_.clear();
  for (const uint64_t step : {6, 7, 8}) {
    peer.set_step(step);
    up_.front().set_step(step);
    Pass(absl::Seconds(20));
  }
  ASSERT_EQ(State(1), v1::PEER_STATE_ALIVE);
  EXPECT_GT(Find(1)->step_time, absl::Seconds(10));
  EXPECT_LT(Find(1)->step_time, absl::Seconds(30));
}

TEST_F(DetectorTest, PatienceGrowsWithMeasuredRoundTripsAndWithBadHealth) {
  Meet(Peer(1));
  EXPECT_EQ(core_.ping_timeout(), options_.ping_timeout);
  for (int i = 0; i < 300; ++i) {
    const PingAction ping = Await(Purpose::kGossip);
    core_.OnAnswer(now_, ping, PongFrom(Peer(1)), absl::Milliseconds(200));
  }
  EXPECT_EQ(core_.ping_timeout(), absl::Milliseconds(800));
  EXPECT_GE(core_.period(), absl::Milliseconds(800) / 0.6);
  core_.OnPing(now_, PingFrom(Peer(1), {Suspected(Peer(kSelf), {1})}));
  EXPECT_EQ(Await(Purpose::kProbe).timeout, absl::Milliseconds(1600));
}

TEST_F(DetectorTest, SilentHelpersAreASignThatItIsWeWhoAreSlow) {
  MeetMany(4);
  for (uint64_t id = 1; id <= 4; ++id) FallsSilent(id);
  for (int tick = 0; tick < 200 && !core_.Status(now_).partition_suspected(); ++tick) {
    Pass(core_.tick_interval());
  }
  EXPECT_TRUE(core_.Status(now_).partition_suspected());
  EXPECT_GE(core_.Status(now_).health(), 3);
  mute_.clear();
  Pass(absl::Seconds(60));
  EXPECT_EQ(core_.Status(now_).health(), 0);
  EXPECT_FALSE(core_.Status(now_).partition_suspected());
}

TEST_F(DetectorTest, OthersAreHelpedToLookForAMember) {
  Meet(Peer(1));
  Meet(Peer(2));
  v1::ControlRequest request = PingFrom(Peer(1));
  *request.mutable_ping_request()->mutable_target() = Suspected(Peer(2), {1});
  request.mutable_ping_request()->set_timeout_ms(400);
  const absl::optional<PingAction> call = core_.OnPingRequest(now_, request);
  ASSERT_TRUE(call);
  EXPECT_EQ(call->address, Peer(2).address());
  EXPECT_EQ(call->timeout, absl::Milliseconds(400));
  v1::ControlRequest ping;
  core_.FillRequest(*call, &ping);
  ASSERT_FALSE(ping.ping().members().empty());
  EXPECT_EQ(ping.ping().members(0).peer_id(), 2) << "and the member hears what is said of it";
  *request.mutable_ping_request()->mutable_target() = Peer(0);
  EXPECT_FALSE(core_.OnPingRequest(now_, request));
  *request.mutable_ping_request()->mutable_target() = Peer(kSelf);
  EXPECT_FALSE(core_.OnPingRequest(now_, request));
}

}  // namespace
}  // namespace starling
