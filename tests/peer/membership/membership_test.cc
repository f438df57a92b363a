// The member table: who gets into it, what is shown, what is believed of whom.

#include "peer/membership/membership.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/peer/membership/membership_world.h"

namespace starling {
namespace {

class MembershipTest : public MembershipWorld {};

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
  peer.set_version(1);
  peer.set_step(12);
  peer.set_slot(3);
  core_.OnPing(now_, PingFrom(peer));
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
  EXPECT_EQ(Find(1)->member.step(), 12);
  EXPECT_EQ(Find(1)->member.slot(), 3);
  EXPECT_TRUE(core_.anyone_training());
  EXPECT_EQ(core_.reachable(), 2);
}

TEST_F(MembershipTest, AnOlderWordOfAMemberDoesNotUndoANewerOne) {
  v1::Member training = Peer(1);
  training.set_version(2);
  Meet(training);
  core_.OnPing(now_, PingFrom(Peer(1, v1::PEER_STATE_JOINING)));
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
}

TEST_F(MembershipTest, WhatAMemberSaysOfItselfIsAlsoLearnedFromOthers) {
  Meet(Peer(1, v1::PEER_STATE_JOINING));
  Meet(Peer(2));
  v1::Member training = Peer(1);
  training.set_version(1);
  training.set_step(30);
  core_.OnPing(now_, PingFrom(Peer(2), {training}));
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
  EXPECT_EQ(Find(1)->member.step(), 30);
}

TEST_F(MembershipTest, MembersAreThoseThatAreNeitherDeadNorGoneNorOfAnotherRun) {
  EXPECT_EQ(core_.members(), 1);
  for (const uint64_t id : {1, 2, 3}) Meet(Peer(id));
  EXPECT_EQ(core_.members(), 4);
  core_.OnGoodbye(now_, Peer(1), "SIGTERM");
  EXPECT_EQ(core_.members(), 3);
  GoesDown(1);
  FallsSilent(2);
  Pass(LeastRespite() / 2);
  ASSERT_EQ(State(2), v1::PEER_STATE_SUSPECT);
  EXPECT_EQ(core_.members(), 3);
  Pass(absl::Minutes(2));
  ASSERT_EQ(State(2), v1::PEER_STATE_DEAD);
  EXPECT_EQ(core_.members(), 2);
  mute_.clear();
  Pass(2 * options_.heal_interval);
  ASSERT_EQ(State(2), v1::PEER_STATE_ALIVE);
  EXPECT_EQ(core_.members(), 3);
  v1::SwarmView view;
  *view.add_members() = Peer(4, v1::PEER_STATE_DEAD);
  core_.OnSwarmView(now_, view);
  EXPECT_EQ(core_.members(), 3);
  v1::ControlRequest foreign = PingFrom(Peer(3));
  foreign.set_run_id(kRun + 1);
  core_.OnPing(now_, foreign);
  EXPECT_EQ(core_.members(), 2);
  core_.OnPing(now_, PingFrom(Peer(3)));
  EXPECT_EQ(core_.members(), 3);
  GoesDown(2);
  GoesDown(3);
  Pass(2 * options_.departed_kept);
  EXPECT_EQ(Find(1), nullptr) << "forgotten";
  EXPECT_EQ(core_.members(), 1);
}

TEST_F(MembershipTest, GoodbyeIsFinalForItsIncarnation) {
  Meet(Peer(1));
  core_.OnGoodbye(now_, Peer(1), "SIGTERM");
  EXPECT_EQ(State(1), v1::PEER_STATE_LEFT);
  EXPECT_EQ(Reason(1), "left: SIGTERM");
  v1::Member late = Peer(1);
  late.set_refutations(7);
  core_.OnPing(now_, PingFrom(late));
  EXPECT_EQ(State(1), v1::PEER_STATE_LEFT) << "a call that arrives late";
  EXPECT_TRUE(Pass(absl::Minutes(2)).empty());
  EXPECT_EQ(State(1), v1::PEER_STATE_LEFT);
  GoesDown(1);
  Meet(Peer(1, v1::PEER_STATE_JOINING, 2));
}

TEST_F(MembershipTest, GoodbyeAsAnAnswerCounts) {
  Meet(Peer(1));
  const PingAction ping = Await(Purpose::kGossip);
  v1::ControlResponse response = PongFrom(Peer(1));
  response.mutable_goodbye()->set_reason("finished");
  core_.OnAnswer(now_, ping, response, absl::Milliseconds(1));
  EXPECT_EQ(State(1), v1::PEER_STATE_LEFT);
}

TEST_F(MembershipTest, HigherIncarnationReplacesAndLowerIsIgnored) {
  Meet(Peer(1, v1::PEER_STATE_ALIVE, 5));
  v1::Member restarted = Peer(1, v1::PEER_STATE_JOINING, 6);
  restarted.set_address("10.0.0.9:9999");
  up_ = {restarted};
  now_ += absl::Seconds(0.4);
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

TEST_F(MembershipTest, SeedThatLeftIsCalledAgainNowAndThen) {
  core_.AddSeed(now_, Peer(1).address());
  up_.push_back(Peer(1));
  Pass(absl::Seconds(1));
  core_.OnGoodbye(now_, Peer(1), "for good?");
  up_ = {Peer(2)};
  up_[0].set_address(Peer(1).address());
  Pass(options_.heal_interval + absl::Seconds(1));
  EXPECT_EQ(State(2), v1::PEER_STATE_ALIVE) << "somebody else lives there now";
}

TEST_F(MembershipTest, SeedThatIsOurselvesIsIgnored) {
  core_.AddSeed(now_, Peer(kSelf).address());
  core_.AddSeed(now_, "alias:7100");
  v1::Member alias = Peer(kSelf);
  alias.set_address("alias:7100");
  up_.push_back(alias);
  Pass(absl::Seconds(3));
  EXPECT_TRUE(core_.Snapshot().others.empty());
  EXPECT_TRUE(Pass(absl::Seconds(1)).empty()) << "the alias answered once and that was that";
  EXPECT_EQ(core_.superseded(), "");
}

TEST_F(MembershipTest, ViewsSpreadInAnswersAndCallsAsCandidates) {
  up_ = {Peer(1), Peer(2)};
  core_.OnPing(now_, PingFrom(Peer(1), {Peer(2), Peer(3)}));
  EXPECT_TRUE(core_.has_untried());
  EXPECT_EQ(State(2), v1::PEER_STATE_UNSPECIFIED) << "hearsay makes nobody alive";
  RunCalls();
  EXPECT_FALSE(core_.has_untried());
  EXPECT_EQ(State(2), v1::PEER_STATE_ALIVE);
  EXPECT_EQ(State(3), v1::PEER_STATE_SUSPECT);
  Pass(options_.SuspicionMax(4) + absl::Seconds(2));
  EXPECT_EQ(State(3), v1::PEER_STATE_DEAD);
  EXPECT_EQ(Reason(3), "never answered (connection refused)");
}

TEST_F(MembershipTest, LeavingIsBelievedOnHearsayUnlessOfAnOldIncarnation) {
  Meet(Peer(1));
  Meet(Peer(2, v1::PEER_STATE_ALIVE, 5));
  Meet(Peer(3));
  core_.OnPing(now_, PingFrom(Peer(1), {Peer(2, v1::PEER_STATE_LEFT, 4),
                                        Peer(3, v1::PEER_STATE_LEFT),
                                        Peer(4, v1::PEER_STATE_LEFT)}));
  EXPECT_EQ(State(2), v1::PEER_STATE_ALIVE);
  EXPECT_EQ(State(3), v1::PEER_STATE_LEFT);
  EXPECT_EQ(State(4), v1::PEER_STATE_UNSPECIFIED);
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
  EXPECT_EQ(core_.Table().size(), 1) << "and nobody is told of it";
  Meet(Peer(1, v1::PEER_STATE_ALIVE, 2));
}

TEST_F(MembershipTest, SeedOfAnotherRunIsReported) {
  core_.AddSeed(now_, Peer(1).address());
  const PingAction ping = Await(Purpose::kSeed);
  v1::ControlResponse response = PongFrom(Peer(1));
  response.set_run_id(kRun + 1);
  core_.OnAnswer(now_, ping, response, absl::Milliseconds(1));
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

TEST_F(MembershipTest, CoordinatorIntroducesMembersAndShowsPastFailures) {
  v1::SwarmView view;
  *view.add_members() = Peer(1);
  *view.add_members() = Peer(2, v1::PEER_STATE_DEAD);
  view.mutable_members(1)->set_reason("no heartbeat for 5.2 s");
  *view.add_members() = Peer(3, v1::PEER_STATE_LEFT);
  *view.add_members() = Peer(kSelf);
  up_ = {Peer(1)};
  core_.OnSwarmView(now_, view);
  EXPECT_EQ(Addresses(RunCalls()), std::vector<std::string>{Peer(1).address()});
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
  EXPECT_EQ(State(2), v1::PEER_STATE_DEAD);
  EXPECT_EQ(Reason(2), "no heartbeat for 5.2 s");
  EXPECT_EQ(State(3), v1::PEER_STATE_LEFT);
}

TEST_F(MembershipTest, CoordinatorsSuspicionIsNotOurs) {
  Meet(Peer(1));
  v1::SwarmView view;
  *view.add_members() = Peer(1, v1::PEER_STATE_SUSPECT);
  *view.add_members() = Peer(2, v1::PEER_STATE_SUSPECT);
  up_.push_back(Peer(2));
  core_.OnSwarmView(now_, view);
  RunCalls();
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
  EXPECT_EQ(State(2), v1::PEER_STATE_ALIVE);
  EXPECT_TRUE(core_.Missing().empty());
  GoesDown(2);
  Pass(absl::Seconds(2));
  EXPECT_EQ(core_.Missing(), std::vector<PeerId>{PeerId(2)});
}

TEST_F(MembershipTest, CoordinatorsDeathSentenceNeedsOurOwnSilence) {
  Meet(Peer(1));
  v1::SwarmView view;
  *view.add_members() = Peer(1, v1::PEER_STATE_DEAD);
  core_.OnSwarmView(now_, view);
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE) << "it only lost its way to the coordinator";
  Meet(Peer(2));
  FallsSilent(1);
  FallsSilent(2);
  *view.add_members() = Peer(2, v1::PEER_STATE_LEFT);
  core_.OnSwarmView(now_, view);
  EXPECT_EQ(State(2), v1::PEER_STATE_LEFT) << "its own word, passed on";
  Pass(LeastRespite() - absl::Seconds(0.2));
  core_.OnSwarmView(now_, view);
  EXPECT_EQ(State(1), v1::PEER_STATE_SUSPECT);
  Pass(absl::Seconds(0.4));
  core_.OnSwarmView(now_, view);
  EXPECT_EQ(State(1), v1::PEER_STATE_DEAD);
}

TEST_F(MembershipTest, QuarantineHidesAMemberUntilItIsForgiven) {
  Meet(Peer(1));
  core_.OnQuarantine(now_, PeerId(1), now_ + absl::Minutes(5), "3 NaNs in 10 minutes");
  EXPECT_EQ(State(1), v1::PEER_STATE_QUARANTINED);
  EXPECT_EQ(Reason(1), "quarantined: 3 NaNs in 10 minutes");
  EXPECT_EQ(core_.reachable(), 1);
  EXPECT_EQ(Told(1).state(), v1::PEER_STATE_ALIVE) << "our own judgement, not the swarm's";
  Pass(absl::Minutes(4));
  EXPECT_EQ(State(1), v1::PEER_STATE_QUARANTINED) << "though it answers";
  Pass(absl::Minutes(1) + absl::Seconds(1));
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
  core_.OnQuarantine(now_, PeerId(9), now_ + absl::Minutes(5), "who?");
  EXPECT_EQ(State(9), v1::PEER_STATE_UNSPECIFIED);
}

TEST_F(MembershipTest, QuarantinedMemberThatDiesIsDead) {
  Meet(Peer(1));
  core_.OnQuarantine(now_, PeerId(1), now_ + absl::Minutes(5), "NaN");
  GoesDown(1);
  Pass(absl::Seconds(2));
  EXPECT_EQ(State(1), v1::PEER_STATE_SUSPECT);
  Pass(LeastRespite());
  EXPECT_EQ(State(1), v1::PEER_STATE_DEAD);
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
  v1::Member stateless = Peer(6, v1::PEER_STATE_UNSPECIFIED);
  v1::Member accused = Peer(7, v1::PEER_STATE_QUARANTINED);
  core_.OnPing(now_, PingFrom(Peer(5), {nameless, homeless, dark, stateless, accused}));
  EXPECT_TRUE(RunCalls().empty());
  EXPECT_EQ(core_.Snapshot().others.size(), 1);
}

TEST_F(MembershipTest, TableIsBounded) {
  options_.max_members = 3;
  options_.max_departed = 2;
  Membership core(options_, Peer(kSelf), RunId(kRun), now_, Random(1));
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

TEST_F(MembershipTest, AnAnswerOfSomebodyWhoStoodStillSaysLittleOfTheWayThere) {
  FallsSilent(1);
  core_.OnPing(now_, PingFrom(Peer(1)));
  const PingAction ping = core_.TakePings().at(0);
  core_.OnAnswer(now_, ping, PongFrom(Peer(1)), absl::Minutes(1));
  EXPECT_EQ(Find(1)->rtt, 10 * options_.ping_timeout);
}

TEST_F(MembershipTest, RoundTripTimesAreSmoothed) {
  Meet(Peer(1));
  Pass(absl::Seconds(20));
  const PingAction ping = Await(Purpose::kGossip);
  core_.OnAnswer(now_, ping, PongFrom(Peer(1)), absl::Milliseconds(10));
  EXPECT_EQ(Find(1)->rtt, absl::Milliseconds(3));
}

TEST_F(MembershipTest, UnusualSilenceInTrainingIsMeasuredAndNoVerdict) {
  v1::Member peer = Peer(1);
  Meet(peer);
  for (int step = 1; step <= 20; ++step) {
    peer.set_step(step);
    up_.front() = peer;
    Pass(absl::Seconds(0.4));
  }
  EXPECT_LT(Find(1)->straggler, 2);
  Pass(absl::Seconds(10));
  EXPECT_GT(Find(1)->straggler, 8);
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
  v1::PeerStatus status;
  core_.FillStatus(now_, PeerId(1), &status);
  EXPECT_GT(status.straggler_score(), 8);
}

TEST_F(MembershipTest, EveryDeadlineSaysWhereItComesFrom) {
  Meet(Peer(1));
  std::map<std::string, v1::EffectiveValue> values;
  for (const v1::EffectiveValue& value : core_.EffectiveValues()) {
    EXPECT_FALSE(value.source().empty()) << value.name();
    values[value.name()] = value;
  }
  EXPECT_EQ(values["probe interval"].seconds(), 1);
  EXPECT_EQ(values["probe timeout"].source(),
            "4 x the 99th percentile of 1 round trips (2ms), at least the 500ms of preset lan");
  EXPECT_EQ(values["dead after suspicion by one"].seconds(), 4);
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
  options.ping_timeout = options.ping_interval;
  EXPECT_TRUE(absl::StartsWith(options.Validate().message(), "ping_timeout"));
  options = {};
  options.members_per_message = 0;
  EXPECT_TRUE(absl::StartsWith(options.Validate().message(), "members_per_message"));
}

}  // namespace
}  // namespace starling
