// What GossipActors refuse, and what a refusal changes.

#include "gtest/gtest.h"
#include "tests/peer/gossip/two_peers.h"

namespace starling {
namespace {

using Message = GossipWorld::Message;
using Reasons = std::vector<v1::RefusalReason>;

TEST(GossipActorRefusalsTest, ARequestOutOfScaleIsRefusedAndLeavesNoTrace) {
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

TEST(GossipActorRefusalsTest, AReplyOutOfScaleIsNotCommittedAndItsSenderCountsAnOrphan) {
  GossipWorld world(2);
  world.node(1).owner.out_of_scale = "too large";
  world.StartExchange(1);
  world.Settle();
  EXPECT_EQ(world.node(1).refused, Reasons(kShards, v1::REFUSAL_REASON_OUT_OF_SCALE));
  EXPECT_EQ(world.node(1).owner.values, std::vector<float>(GossipWorld::kElements, 1.0f));
  EXPECT_EQ(world.status(1).exchanges_failed(), 1);
  EXPECT_EQ(world.status(2).orphaned_deltas(), kShards);
}

TEST(GossipActorRefusalsTest, WhatWasGivenUpWhileItWasFoundOutOfScaleStaysGivenUp) {
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

TEST(GossipActorRefusalsTest, ARequestToAnEarlierLifeIsRefusedAsStale) {
  GossipWorld world(2);
  std::map<PeerId, Contact> others = world.Others(PeerId(1));
  others.at(PeerId(2)).incarnation = 77;
  world.SetCandidates(1, others);
  world.StartExchange(1);
  world.Settle();
  EXPECT_EQ(world.node(2).refused, Reasons(kShards, v1::REFUSAL_REASON_STALE));
  EXPECT_EQ(world.Sum(), kSum);
}

TEST(GossipActorRefusalsTest, WhoDoesNotAnswerIsNotListenedToUntilItIsHeardOf) {
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

TEST(GossipActorRefusalsTest, WhatWasAnsweredOnceIsAnsweredAgainHoweverOldItIs) {
  GossipWorld world(2);
  world.StartExchange(1);
  const std::vector<Message> requests = world.Take(v1::FRAME_KIND_MIX_REQUEST);
  world.DeliverAll(requests);
  world.Boundary(2);
  world.underway.clear();  // the replies are lost
  world.executor.Do(
      [&] { world.node(2).actor->SetCandidates(world.Others(PeerId(2)), {PeerId(1)}); });
  world.DeliverAll(requests);
  world.Settle();
  ExpectSettledWithoutLoss(world);
}

TEST(GossipActorRefusalsTest, WhoStoodStillBeginsAndAnswersNothingUntilItIsInTouchAgain) {
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

TEST(GossipActorRefusalsTest, OfTwoCrossingRequestsTheLowerIdsGoesOn) {
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

TEST(GossipActorRefusalsTest, ARequestCrossesAnExchangeWhoseSnapshotIsStillBeingTaken) {
  GossipWorld world(2);
  world.StartExchange(2);  // its requests are underway
  world.Step(1);           // the lower id has chosen, its request is not yet out
  world.DeliverAll(world.Take(v1::FRAME_KIND_MIX_REQUEST));
  EXPECT_EQ(world.node(1).refused, Reasons(kShards, v1::REFUSAL_REASON_CROSSED));
  world.Settle();
  ExpectSettledWithoutLoss(world);
}

TEST(GossipActorRefusalsTest, TheHigherIdCallsOffWhatItHasNotSentYet) {
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

TEST(GossipActorRefusalsTest, WhatWasAnsweredBeforeIsRepeatedEvenIfItCrossesNow) {
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

TEST(GossipActorRefusalsTest, BeyondTheBoundOfWaitingShardsARequestIsRefusedAsBusy) {
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

TEST(GossipActorRefusalsTest, ATrainerWhoseMailboxIsFullIsBusyAndTheRequestLeavesNoTrace) {
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

TEST(GossipActorRefusalsTest, APeerThatDoesNotTrainRefuses) {
  GossipWorld world(2);
  world.executor.Do([&] { world.node(2).actor->SetAccepting(false); });
  world.StartExchange(1);
  world.Settle();
  EXPECT_EQ(world.node(2).refused, Reasons(kShards, v1::REFUSAL_REASON_NOT_TRAINING));
  EXPECT_EQ(world.status(1).exchanges_failed(), 1);
  EXPECT_EQ(world.node(2).owner.values, kFours);
}

TEST(GossipActorRefusalsTest, RefusalsOfOthersOrOfOtherFramesEndNothing) {
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
  EXPECT_TRUE(world.Take(v1::FRAME_KIND_MIX_REQUEST).empty());
  world.executor.Advance(kQuarter);
  EXPECT_EQ(world.Take(v1::FRAME_KIND_MIX_REQUEST).size(), kShards);
  deliver(2, exchange, v1::FRAME_KIND_MIX_REQUEST, v1::REFUSAL_REASON_BUSY);
  world.executor.Advance(kQuarter);
  EXPECT_EQ(world.Take(v1::FRAME_KIND_MIX_REQUEST).size(), kShards - 1);
}

Message Damaged(const Message& message) {
  Frame refusal =
      MakeRefusal(message.frame.header, v1::REFUSAL_REASON_CORRUPT, "one bit was another");
  refusal.header.set_sender(message.to.value());
  refusal.header.set_sender_incarnation(1);
  return {message.to, message.from, std::move(refusal)};
}

TEST(GossipActorRefusalsTest, ARequestThatWasDamagedIsSentAgainAtOnceButNotForEver) {
  GossipWorld world(2);
  world.StartExchange(1);
  Message request = world.Take(v1::FRAME_KIND_MIX_REQUEST)[1];
  for (uint32_t time = 0; time < kShards; ++time) {
    world.Deliver(Damaged(request));
    const std::vector<Message> again = world.Take(v1::FRAME_KIND_MIX_REQUEST);
    ASSERT_EQ(again.size(), 1);
    EXPECT_EQ(again[0].frame.header.SerializeAsString(), request.frame.header.SerializeAsString());
    EXPECT_EQ(again[0].frame.payload.data(), request.frame.payload.data());
  }
  world.Deliver(Damaged(request));
  EXPECT_TRUE(world.underway.empty());
  world.executor.Advance(kQuarter);
  world.Settle();
  ExpectSettledWithoutLoss(world);
  world.Deliver(Damaged(request));
  EXPECT_TRUE(world.underway.empty());
}

TEST(GossipActorRefusalsTest, AReplyThatWasDamagedIsSentAgainAtOnceUntilItIsSettled) {
  GossipWorld world(2);
  world.StartExchange(1);
  world.DeliverAll(world.Take(v1::FRAME_KIND_MIX_REQUEST));
  world.Boundary(2);
  std::vector<Message> replies = world.Take(v1::FRAME_KIND_MIX_REPLY);
  world.Deliver(Damaged(replies[0]));
  const std::vector<Message> again = world.Take(v1::FRAME_KIND_MIX_REPLY);
  ASSERT_EQ(again.size(), 1);
  EXPECT_EQ(again[0].frame.payload.data(), replies[0].frame.payload.data());
  Message of_another = Damaged(replies[1]);
  of_another.frame.header.set_exchange_id(77);
  world.Deliver(of_another);
  EXPECT_TRUE(world.underway.empty());
  world.DeliverAll(again);
  world.Deliver(replies[1]);
  world.Deliver(replies[2]);
  world.Settle();
  ExpectSettledWithoutLoss(world);
  world.Deliver(Damaged(replies[0]));
  EXPECT_TRUE(world.underway.empty());
}

}  // namespace
}  // namespace starling
