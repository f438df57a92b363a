// GossipActors on a network that loses, repeats, reorders and refuses.

#include <cmath>

#include "gtest/gtest.h"
#include "tests/peer/gossip/gossip_world.h"

namespace starling {
namespace {

using Message = GossipWorld::Message;
using Reasons = std::vector<v1::RefusalReason>;
using Values = std::vector<float>;

constexpr uint32_t kShards = GossipWorld::kShards;
// Peers 1 and 2 begin with ten parameters of 1 and 4.
constexpr double kSum = 50;
// Before the first measurement the deadline is the ceiling of 20 s and what so few bytes take; a quarter of it:
constexpr absl::Duration kQuarter = absl::Milliseconds(5001);
const Values kFours(GossipWorld::kElements, 4.0f);
const Values kMean(GossipWorld::kElements, 2.5f);

void ExpectSettledWithoutLoss(GossipWorld& world) {
  EXPECT_EQ(world.Sum(), kSum);
  EXPECT_EQ(world.node(1).owner.values, kMean);
  EXPECT_EQ(world.node(2).owner.values, kMean);
  EXPECT_EQ(world.status(1).exchanges_committed(), 1);
  EXPECT_EQ(world.status(2).orphaned_deltas(), 0);
}

TEST(GossipActorFaultsTest, ARepeatedRequestIsAnsweredAgainAndNotAppliedAgain) {
  GossipWorld world(2);
  world.StartExchange(1);
  const std::vector<Message> requests = world.Take(v1::FRAME_KIND_MIX_REQUEST);
  world.DeliverAll(requests);
  world.DeliverAll(requests);  // the trainer has not answered yet
  world.Boundary(2);
  EXPECT_EQ(world.node(2).owner.responses, kShards);
  const std::vector<Message> replies = world.Take(v1::FRAME_KIND_MIX_REPLY);
  EXPECT_EQ(replies.size(), kShards);
  world.node(2).owner.step = 99;
  world.DeliverAll(requests);
  const std::vector<Message> again = world.Take(v1::FRAME_KIND_MIX_REPLY);
  ASSERT_EQ(again.size(), kShards);
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    EXPECT_EQ(again[shard].frame.payload.data(), replies[shard].frame.payload.data());
    EXPECT_EQ(again[shard].frame.header.SerializeAsString(),
              replies[shard].frame.header.SerializeAsString());
  }
  world.DeliverAll(again);
  world.Settle();
  EXPECT_EQ(world.node(2).owner.responses, kShards);
  ExpectSettledWithoutLoss(world);
}

TEST(GossipActorFaultsTest, ARepeatedReplyIsCommittedOnceAndSettledAgain) {
  GossipWorld world(2);
  world.StartExchange(1);
  world.DeliverAll(world.Take(v1::FRAME_KIND_MIX_REQUEST));
  world.Boundary(2);
  const std::vector<Message> replies = world.Take(v1::FRAME_KIND_MIX_REPLY);
  world.Deliver(replies[0]);
  world.Deliver(replies[0]);  // while it is being applied
  world.Boundary(1);
  EXPECT_EQ(world.Take(v1::FRAME_KIND_SETTLE).size(), 1);
  world.Deliver(replies[0]);  // while the exchange goes on
  EXPECT_EQ(world.Take(v1::FRAME_KIND_SETTLE).size(), 1);
  world.DeliverAll({replies[1], replies[2]});
  world.Boundary(1);
  EXPECT_EQ(world.status(1).exchanges_committed(), 1);
  world.underway.clear();
  world.DeliverAll(replies);  // after the end of the exchange
  const std::vector<Message> settles = world.Take(v1::FRAME_KIND_SETTLE);
  ASSERT_EQ(settles.size(), kShards);
  for (const Message& settle : settles) EXPECT_TRUE(settle.frame.header.committed());
  EXPECT_EQ(world.node(1).owner.commits, kShards);
  world.DeliverAll(settles);
  world.Settle();
  ExpectSettledWithoutLoss(world);
}

TEST(GossipActorFaultsTest, ARequestOutOfScaleIsRefusedAndLeavesNoTrace) {
  GossipWorld world(2);
  world.node(2).owner.out_of_scale = "too large";
  world.StartExchange(1);
  world.Settle();
  EXPECT_EQ(world.node(2).refused, Reasons(kShards, v1::REFUSAL_REASON_OUT_OF_SCALE));
  EXPECT_EQ(world.status(1).exchanges_failed(), 1);
  EXPECT_EQ(world.status(2).shards_answered(), 0);
  EXPECT_EQ(world.Sum(), kSum);
  world.node(2).owner.out_of_scale.clear();
  world.StartExchange(1);
  world.Settle();
  ExpectSettledWithoutLoss(world);
}

TEST(GossipActorFaultsTest, AReplyOutOfScaleIsNotCommittedAndItsSenderCountsAnOrphan) {
  GossipWorld world(2);
  world.node(1).owner.out_of_scale = "too large";
  world.StartExchange(1);
  world.Settle();
  EXPECT_EQ(world.node(1).refused, Reasons(kShards, v1::REFUSAL_REASON_OUT_OF_SCALE));
  EXPECT_EQ(world.node(1).owner.values, Values(GossipWorld::kElements, 1.0f));
  EXPECT_EQ(world.status(1).exchanges_failed(), 1);
  EXPECT_EQ(world.status(2).orphaned_deltas(), kShards);
}

TEST(GossipActorFaultsTest, WhatWasGivenUpWhileItWasFoundOutOfScaleStaysGivenUp) {
  GossipWorld world(2);
  world.StartExchange(1);
  const std::vector<Message> requests = world.Take(v1::FRAME_KIND_MIX_REQUEST);
  world.DeliverAll(requests);
  world.SetCandidates(1, {});  // it gives the exchange up
  world.DeliverAll(world.Take(v1::FRAME_KIND_SETTLE));
  world.node(2).owner.out_of_scale = "too large";
  world.Settle();
  world.node(2).owner.out_of_scale.clear();
  world.DeliverAll(requests);
  world.Settle();
  EXPECT_EQ(world.node(2).owner.responses, 0);
  EXPECT_EQ(world.Sum(), kSum);
}

TEST(GossipActorFaultsTest, ARequestToAnEarlierLifeIsRefusedAsStale) {
  GossipWorld world(2);
  std::map<PeerId, Contact> others = world.Others(PeerId(1));
  others.at(PeerId(2)).incarnation = 77;
  world.SetCandidates(1, others);
  world.StartExchange(1);
  world.Settle();
  EXPECT_EQ(world.node(2).refused, Reasons(kShards, v1::REFUSAL_REASON_STALE));
  EXPECT_EQ(world.Sum(), kSum);
}

TEST(GossipActorFaultsTest, WhoDoesNotAnswerIsNotListenedToUntilItIsHeardOf) {
  GossipWorld world(2);
  world.executor.Do([&] { world.node(2).actor->SetCandidates({}, {PeerId(1)}); });
  world.StartExchange(1);
  world.Settle();
  EXPECT_EQ(world.node(2).refused, Reasons(kShards, v1::REFUSAL_REASON_STALE));
  world.SetCandidates(2, world.Others(PeerId(2)));
  world.StartExchange(1);
  world.Settle();
  ExpectSettledWithoutLoss(world);
}

TEST(GossipActorFaultsTest, WhatWasAnsweredOnceIsAnsweredAgainHoweverOldItIs) {
  GossipWorld world(2);
  world.StartExchange(1);
  const std::vector<Message> requests = world.Take(v1::FRAME_KIND_MIX_REQUEST);
  world.DeliverAll(requests);
  world.Boundary(2);
  world.underway.clear();  // the replies are lost
  world.executor.Do([&] { world.node(2).actor->SetCandidates(world.Others(PeerId(2)), {PeerId(1)}); });
  world.DeliverAll(requests);
  world.Settle();
  ExpectSettledWithoutLoss(world);
}

TEST(GossipActorFaultsTest, ALostSettleIsRepairedWhenTheReplyIsReplayed) {
  GossipWorld world(2);
  world.StartExchange(1);
  const std::vector<Message> requests = world.Take(v1::FRAME_KIND_MIX_REQUEST);
  world.DeliverAll(requests);
  world.Boundary(2);
  world.DeliverAll(world.Take(v1::FRAME_KIND_MIX_REPLY));
  world.Boundary(1);
  EXPECT_EQ(world.Take(v1::FRAME_KIND_SETTLE).size(), kShards);  // lost
  world.DeliverAll(requests);                                    // come twice
  world.Settle();
  // The responder knows that everything was committed: a next exchange finds no orphans.
  world.StartExchange(1);
  world.Settle();
  EXPECT_EQ(world.status(2).orphaned_deltas(), 0);
  EXPECT_EQ(world.Sum(), kSum);
}

TEST(GossipActorFaultsTest, LostRequestsAndRepliesAreRepairedByTheResendTimer) {
  GossipWorld world(2);
  world.StartExchange(1);
  world.underway.pop_front();  // the request of shard 0
  world.DeliverAll(world.Take(v1::FRAME_KIND_MIX_REQUEST));
  world.Boundary(2);
  world.underway.pop_back();  // the reply of shard 2
  world.Settle();
  EXPECT_EQ(world.status(1).shards_committed(), 1);
  world.executor.Advance(kQuarter);
  EXPECT_EQ(world.underway.size(), 2);
  world.Settle();
  EXPECT_EQ(world.node(2).owner.responses, kShards);
  ExpectSettledWithoutLoss(world);
}

TEST(GossipActorFaultsTest, WhatIsNotAnsweredIsResentTwiceAndGivenUpAtTheDeadline) {
  GossipWorld world(2);
  world.StartExchange(1);
  for (const size_t resent : {kShards, kShards, uint32_t{0}}) {
    world.underway.clear();
    world.executor.Advance(kQuarter);
    EXPECT_EQ(world.Take(v1::FRAME_KIND_MIX_REQUEST).size(), resent);
  }
  EXPECT_TRUE(world.underway.empty());
  world.executor.Advance(kQuarter);
  const std::vector<Message> settles = world.Take(v1::FRAME_KIND_SETTLE);
  ASSERT_EQ(settles.size(), kShards);
  for (const Message& settle : settles) EXPECT_FALSE(settle.frame.header.committed());
  EXPECT_EQ(world.status(1).exchanges_failed(), 1);
  world.StartExchange(1);
  EXPECT_EQ(world.status(1).exchanges_started(), 2);
  world.Settle();
  EXPECT_EQ(world.executor.timers(), 0);
}

TEST(GossipActorFaultsTest, WhileRepliesComeNothingIsSentAgain) {
  GossipWorld world(2);
  world.StartExchange(1);
  world.DeliverAll(world.Take(v1::FRAME_KIND_MIX_REQUEST));
  world.Boundary(2);
  const std::vector<Message> replies = world.Take(v1::FRAME_KIND_MIX_REPLY);
  world.executor.Advance(kQuarter - absl::Seconds(1));
  world.Deliver(replies[0]);
  world.Boundary(1);
  world.Take(v1::FRAME_KIND_SETTLE);
  world.executor.Advance(absl::Seconds(2));
  EXPECT_EQ(world.Take(v1::FRAME_KIND_MIX_REQUEST).size(), 0);
  world.executor.Advance(absl::Seconds(2));
  EXPECT_EQ(world.Take(v1::FRAME_KIND_MIX_REQUEST).size(), kShards - 1) << "no more came";
}

TEST(GossipActorFaultsTest, EachPartnerHasADeadlineOfItsOwn) {
  GossipWorld world(3);
  world.SetCandidates(1, {{PeerId(2), GossipWorld::AddressOf(PeerId(2))}});
  world.StartExchange(1);
  world.Settle();
  ASSERT_EQ(world.status(1).exchanges_committed(), 1);
  world.StartExchange(1);
  world.executor.Advance(absl::Seconds(2.1));
  EXPECT_EQ(world.status(1).exchanges_failed(), 1) << "2 s are more than it ever took";
  world.SetCandidates(1, world.Others(PeerId(1)));
  const std::vector<v1::EffectiveValue> values = world.node(1).actor->EffectiveValues();
  ASSERT_EQ(values.size(), 3);
  EXPECT_EQ(values[0].source().find("with peer 0000000000000003: 2s: 8 x"), 0) << values[0].source();
  EXPECT_EQ(values[1].source().find("with peer 0000000000000002: 4s: 8 x"), 0) << values[1].source();
}

TEST(GossipActorFaultsTest, WithANewPartnerTheSlackIsByExperienceWithOthersAndTheLineIsAssumed) {
  GossipWorld world(3);
  world.SetCandidates(1, {{PeerId(2), GossipWorld::AddressOf(PeerId(2))}});
  world.StartExchange(1);
  world.Settle();
  world.SetCandidates(1, {{PeerId(3), GossipWorld::AddressOf(PeerId(3))}});
  const std::vector<v1::EffectiveValue> values = world.node(1).actor->EffectiveValues();
  ASSERT_EQ(values.size(), 2);
  EXPECT_NEAR(values[0].seconds(), 2, 0.001);
  EXPECT_NE(values[0].source().find("assumed"), std::string::npos) << values[0].source();
}

TEST(GossipActorFaultsTest, WhoTakesLongForAStepIsGivenTwiceThat) {
  GossipWorld world(2);
  std::map<PeerId, Contact> others = world.Others(PeerId(1));
  others.at(PeerId(2)).step_time = absl::Minutes(1);
  others.at(PeerId(2)).round_trip = absl::Seconds(1);
  world.SetCandidates(1, others);
  world.StartExchange(1);
  world.executor.Advance(absl::Seconds(141));
  EXPECT_EQ(world.status(1).exchanges_failed(), 0);
  world.executor.Advance(absl::Seconds(2));
  EXPECT_EQ(world.status(1).exchanges_failed(), 1);
}

TEST(GossipActorFaultsTest, DeadlinesAreShownWithTheirSources) {
  GossipWorld world(3);
  std::vector<v1::EffectiveValue> values = world.node(1).actor->EffectiveValues();
  ASSERT_EQ(values.size(), 2);
  EXPECT_EQ(values[0].name(), "exchange deadline");
  EXPECT_NEAR(values[0].seconds(), 20, 0.001);
  EXPECT_NE(values[0].source().find("nothing measured yet"), std::string::npos) << values[0].source();
  std::map<PeerId, Contact> others = world.Others(PeerId(1));
  others.at(PeerId(3)).step_time = absl::Minutes(1);
  for (int i = 0; i < 20; ++i) {
    world.SetCandidates(1, others);
    world.StartExchange(1);
    world.Settle();
  }
  values = world.node(1).actor->EffectiveValues();
  ASSERT_EQ(values.size(), 3);
  EXPECT_NEAR(values[0].seconds(), 2, 0.001);
  EXPECT_NE(values[0].source().find("0000000000000002"), std::string::npos) << values[0].source();
  EXPECT_EQ(values[1].name(), "exchange deadline, longest");
  EXPECT_NEAR(values[1].seconds(), 122, 0.001);
  EXPECT_NE(values[1].source().find("0000000000000003"), std::string::npos) << values[1].source();
}

TEST(GossipActorFaultsTest, WhoStoodStillBeginsAndAnswersNothingUntilItIsInTouchAgain) {
  GossipWorld world(2);
  bool in_touch = true;
  world.executor.Do([&] { world.node(2).actor->SetInTouch([&] { return in_touch; }); });
  // Answered before it stood still, and asked again after.
  world.StartExchange(1);
  const std::vector<Message> requests = world.Take(v1::FRAME_KIND_MIX_REQUEST);
  world.DeliverAll(requests);
  world.Boundary(2);
  world.underway.clear();
  in_touch = false;
  world.DeliverAll(requests);
  world.Settle();
  ExpectSettledWithoutLoss(world);
  // Newly asked, and about to begin one itself.
  world.StartExchange(1);
  world.Settle();
  EXPECT_EQ(world.node(2).refused, Reasons(kShards, v1::REFUSAL_REASON_NOT_TRAINING));
  world.StartExchange(2);
  EXPECT_EQ(world.status(2).exchanges_started(), 0);
  // It stood still between the decision and the snapshot.
  in_touch = true;
  world.Step(2);
  in_touch = false;
  world.Boundary(2);
  EXPECT_EQ(world.status(2).exchanges_started(), 0);
  in_touch = true;
  world.StartExchange(2);
  EXPECT_EQ(world.status(2).exchanges_started(), 1);
}

TEST(GossipActorFaultsTest, AReplyThatComesAfterTheDeadlineIsNotAppliedAndCountedAsOrphan) {
  GossipWorld world(2);
  world.StartExchange(1);
  world.DeliverAll(world.Take(v1::FRAME_KIND_MIX_REQUEST));
  world.Boundary(2);
  const std::vector<Message> late = world.Take(v1::FRAME_KIND_MIX_REPLY);
  world.executor.Advance(4 * kQuarter);
  world.underway.clear();  // the notice of giving up is lost as well
  world.DeliverAll(late);
  world.Settle();
  EXPECT_EQ(world.node(1).owner.commits, 0);
  EXPECT_EQ(world.status(2).orphaned_deltas(), kShards);
  // Each parameter moved by 1.5; the norms of 4, 4 and 2 of them.
  EXPECT_NEAR(world.status(2).orphaned_delta_norm(), 3 + 3 + std::sqrt(2 * 2.25), 1e-6);
}

TEST(GossipActorFaultsTest, ARequestThatComesAfterItWasGivenUpIsNotApplied) {
  GossipWorld world(2);
  world.StartExchange(1);
  const std::vector<Message> late = world.Take(v1::FRAME_KIND_MIX_REQUEST);
  world.executor.Advance(4 * kQuarter);
  world.Take(v1::FRAME_KIND_MIX_REQUEST);
  world.DeliverAll(world.Take(v1::FRAME_KIND_SETTLE));
  world.DeliverAll(late);
  world.Settle();
  EXPECT_EQ(world.node(2).owner.values, kFours);
  EXPECT_EQ(world.status(2).orphaned_deltas(), 0);
}

TEST(GossipActorFaultsTest, RepliesFromAnybodyElseOrToAnotherExchangeAreIgnored) {
  GossipWorld world(3);
  world.SetCandidates(1, {{PeerId(2), GossipWorld::AddressOf(PeerId(2))}});
  world.StartExchange(1);
  world.DeliverAll(world.Take(v1::FRAME_KIND_MIX_REQUEST));
  world.Boundary(2);
  const Message reply = world.Take(v1::FRAME_KIND_MIX_REPLY)[0];
  Message forged = reply;
  forged.frame.header.set_sender(3);
  world.Deliver(forged);
  Message other = reply;
  other.frame.header.set_exchange_id(reply.frame.header.exchange_id() - 1);
  world.Deliver(other);
  EXPECT_EQ(world.node(1).owner.waiting(), 0);
  EXPECT_TRUE(world.underway.empty());
}

TEST(GossipActorFaultsTest, OfTwoCrossingRequestsTheLowerIdsGoesOn) {
  GossipWorld world(2);
  world.StartExchange(1);
  world.StartExchange(2);
  world.Settle();
  EXPECT_EQ(world.node(1).refused, Reasons(kShards, v1::REFUSAL_REASON_CROSSED));
  EXPECT_TRUE(world.node(2).refused.empty());
  EXPECT_EQ(world.status(1).exchanges_committed(), 1);
  EXPECT_EQ(world.status(2).exchanges_failed(), 1);
  ExpectSettledWithoutLoss(world);
}

TEST(GossipActorFaultsTest, ARequestCrossesAnExchangeWhoseSnapshotIsStillBeingTaken) {
  GossipWorld world(2);
  world.StartExchange(2);  // its requests are underway
  world.Step(1);           // the lower id has chosen, its request is not yet out
  world.DeliverAll(world.Take(v1::FRAME_KIND_MIX_REQUEST));
  EXPECT_EQ(world.node(1).refused, Reasons(kShards, v1::REFUSAL_REASON_CROSSED));
  world.Settle();
  ExpectSettledWithoutLoss(world);
}

TEST(GossipActorFaultsTest, TheHigherIdCallsOffWhatItHasNotSentYet) {
  GossipWorld world(2);
  world.StartExchange(1);
  world.Step(2);
  world.DeliverAll(world.Take(v1::FRAME_KIND_MIX_REQUEST));
  world.Boundary(2);
  EXPECT_TRUE(world.Take(v1::FRAME_KIND_MIX_REQUEST).empty());
  EXPECT_EQ(world.status(2).exchanges_started(), 0);
  world.Settle();
  ExpectSettledWithoutLoss(world);
  world.StartExchange(2);
  EXPECT_EQ(world.status(2).exchanges_started(), 1);
}

TEST(GossipActorFaultsTest, WhatWasAnsweredBeforeIsRepeatedEvenIfItCrossesNow) {
  GossipWorld world(2);
  world.StartExchange(2);
  const std::vector<Message> requests = world.Take(v1::FRAME_KIND_MIX_REQUEST);
  world.DeliverAll(requests);
  world.Boundary(1);
  world.underway.clear();  // the replies are lost
  world.StartExchange(1);
  world.underway.clear();  // and so are the requests in the other direction
  world.DeliverAll(requests);
  world.Settle();
  EXPECT_TRUE(world.node(1).refused.empty());
  EXPECT_EQ(world.status(2).exchanges_committed(), 1);
  EXPECT_EQ(world.Sum(), kSum);
}

TEST(GossipActorFaultsTest, BeyondTheBoundOfWaitingShardsARequestIsRefusedAsBusy) {
  GossipOptions options;
  options.pending_answers = 2;
  GossipWorld world(2, "elastic_gossip", options);
  world.StartExchange(1);
  const std::vector<Message> requests = world.Take(v1::FRAME_KIND_MIX_REQUEST);
  world.DeliverAll(requests);
  EXPECT_EQ(world.node(2).refused, Reasons{v1::REFUSAL_REASON_BUSY});
  EXPECT_EQ(world.node(2).owner.waiting(), 2);
  world.DeliverAll({requests[0], requests[1]});  // pending: neither new nor refused
  EXPECT_EQ(world.node(2).refused.size(), 1);
  world.Settle();
  EXPECT_EQ(world.status(1).exchanges_partial(), 1);
  EXPECT_EQ(world.status(1).shards_committed(), 2);
  EXPECT_EQ(world.Sum(), kSum);
  // Room again.
  world.StartExchange(1);
  world.Deliver(world.TakeFirst());
  EXPECT_EQ(world.node(2).owner.waiting(), 1);
}

TEST(GossipActorFaultsTest, ATrainerWhoseMailboxIsFullIsBusyAndTheRequestLeavesNoTrace) {
  GossipWorld world(2);
  world.StartExchange(1);
  const std::vector<Message> requests = world.Take(v1::FRAME_KIND_MIX_REQUEST);
  world.node(2).owner.full = true;
  world.Deliver(requests[0]);
  EXPECT_EQ(world.node(2).refused, Reasons{v1::REFUSAL_REASON_BUSY});
  world.underway.clear();
  world.node(2).owner.full = false;
  world.DeliverAll(requests);
  EXPECT_EQ(world.node(2).owner.waiting(), kShards);
}

TEST(GossipActorFaultsTest, AnInitiatorWhoseTrainerIsTooBusyToCommitAsksForTheReplyAgain) {
  GossipWorld world(2);
  world.StartExchange(1);
  world.DeliverAll(world.Take(v1::FRAME_KIND_MIX_REQUEST));
  world.Boundary(2);
  world.node(1).owner.full = true;
  world.DeliverAll(world.Take(v1::FRAME_KIND_MIX_REPLY));
  EXPECT_TRUE(world.underway.empty());
  world.node(1).owner.full = false;
  world.executor.Advance(kQuarter);
  world.Settle();
  ExpectSettledWithoutLoss(world);
}

TEST(GossipActorFaultsTest, APeerThatDoesNotTrainRefuses) {
  GossipWorld world(2);
  world.executor.Do([&] { world.node(2).actor->SetAccepting(false); });
  world.StartExchange(1);
  world.Settle();
  EXPECT_EQ(world.node(2).refused, Reasons(kShards, v1::REFUSAL_REASON_NOT_TRAINING));
  EXPECT_EQ(world.status(1).exchanges_failed(), 1);
  EXPECT_EQ(world.node(2).owner.values, kFours);
}

TEST(GossipActorFaultsTest, RefusalsOfOthersOrOfOtherFramesEndNothing) {
  GossipWorld world(3);
  world.SetCandidates(1, {{PeerId(2), GossipWorld::AddressOf(PeerId(2))}});
  world.StartExchange(1);
  const Message request = world.Take(v1::FRAME_KIND_MIX_REQUEST)[0];
  Frame refusal = MakeRefusal(request.frame.header, v1::REFUSAL_REASON_BUSY, "busy");
  auto deliver = [&](uint64_t sender, uint64_t exchange, v1::FrameKind kind,
                     v1::RefusalReason reason) {
    Frame changed = refusal;
    changed.header.set_sender(sender);
    changed.header.set_exchange_id(exchange);
    changed.header.set_refused_kind(kind);
    changed.header.set_refusal(reason);
    world.Deliver({PeerId(sender), PeerId(1), std::move(changed)});
  };
  const uint64_t exchange = request.frame.header.exchange_id();
  deliver(3, exchange, v1::FRAME_KIND_MIX_REQUEST, v1::REFUSAL_REASON_BUSY);
  deliver(2, exchange + 1, v1::FRAME_KIND_MIX_REQUEST, v1::REFUSAL_REASON_BUSY);
  deliver(2, exchange, v1::FRAME_KIND_SETTLE, v1::REFUSAL_REASON_BUSY);
  deliver(2, exchange, v1::FRAME_KIND_MIX_REQUEST, v1::REFUSAL_REASON_CORRUPT);
  world.executor.Advance(kQuarter);
  EXPECT_EQ(world.Take(v1::FRAME_KIND_MIX_REQUEST).size(), kShards);
  deliver(2, exchange, v1::FRAME_KIND_MIX_REQUEST, v1::REFUSAL_REASON_BUSY);
  world.executor.Advance(kQuarter);
  EXPECT_EQ(world.Take(v1::FRAME_KIND_MIX_REQUEST).size(), kShards - 1);
}

TEST(GossipActorFaultsTest, APeerThatIsNoCandidateAnyMoreIsGivenUpAtOnce) {
  GossipWorld world(2);
  world.StartExchange(1);
  const std::vector<Message> requests = world.Take(v1::FRAME_KIND_MIX_REQUEST);
  world.SetCandidates(1, {});
  const std::vector<Message> settles = world.Take(v1::FRAME_KIND_SETTLE);
  ASSERT_EQ(settles.size(), kShards);
  for (const Message& settle : settles) EXPECT_FALSE(settle.frame.header.committed());
  EXPECT_EQ(world.status(1).exchanges_failed(), 1);
}

TEST(GossipActorFaultsTest, APeerThatCameBackElsewhereIsGivenUpAtItsOldAddress) {
  GossipWorld world(2);
  world.StartExchange(1);
  world.SetCandidates(1, {{PeerId(2), "elsewhere:1"}});
  EXPECT_EQ(world.status(1).exchanges_failed(), 1);
  EXPECT_EQ(world.node(1).addresses_used.back(), GossipWorld::AddressOf(PeerId(2)));
  world.StartExchange(1);
  EXPECT_EQ(world.node(1).addresses_used.back(), "elsewhere:1");
}

TEST(GossipActorFaultsTest, WhatIsBeingAppliedWhenThePeerIsGivenUpIsStillCommitted) {
  GossipWorld world(2);
  world.StartExchange(1);
  world.Deliver(world.TakeFirst());
  world.Take(v1::FRAME_KIND_MIX_REQUEST);  // the others are lost
  world.Boundary(2);
  world.DeliverAll(world.Take(v1::FRAME_KIND_MIX_REPLY));
  world.SetCandidates(1, {});
  world.Settle();
  EXPECT_EQ(world.status(1).shards_committed(), 1);
  EXPECT_EQ(world.status(1).exchanges_partial(), 1);
  EXPECT_EQ(world.Sum(), kSum);
  EXPECT_EQ(world.status(2).orphaned_deltas(), 0);
}

TEST(GossipActorFaultsTest, WhenAnInitiatorIsGoneItsOpenRepliesAreOrphans) {
  GossipWorld world(2);
  world.StartExchange(1);
  world.DeliverAll(world.Take(v1::FRAME_KIND_MIX_REQUEST));
  world.Boundary(2);
  world.underway.clear();
  world.SetCandidates(2, {});
  EXPECT_EQ(world.status(2).orphaned_deltas(), kShards);
}

TEST(GossipActorFaultsTest, ABrokenPathIsTriedOnceMoreAndThenGivenUp) {
  GossipWorld world(2);
  world.StartExchange(1);
  world.underway.clear();
  auto break_path = [&](const std::string& address) {
    world.executor.Do([&] { world.node(1).actor->OnPathBroken(address); });
  };
  break_path("somebody else:1");
  EXPECT_TRUE(world.underway.empty());
  break_path(GossipWorld::AddressOf(PeerId(2)));
  EXPECT_EQ(world.Take(v1::FRAME_KIND_MIX_REQUEST).size(), kShards);
  EXPECT_EQ(world.status(1).exchanges_failed(), 0);
  break_path(GossipWorld::AddressOf(PeerId(2)));
  EXPECT_EQ(world.Take(v1::FRAME_KIND_MIX_REQUEST).size(), 0);
  EXPECT_EQ(world.status(1).exchanges_failed(), 1);
  break_path(GossipWorld::AddressOf(PeerId(2)));
  EXPECT_EQ(world.status(1).exchanges_failed(), 1);
  // The next exchange has its own two chances.
  world.StartExchange(1);
  world.underway.clear();
  break_path(GossipWorld::AddressOf(PeerId(2)));
  EXPECT_EQ(world.Take(v1::FRAME_KIND_MIX_REQUEST).size(), kShards);
}

}  // namespace
}  // namespace starling
