#include "peer/gossip/gossip_actor.h"

#include <cmath>

#include "gtest/gtest.h"
#include "tests/peer/gossip/gossip_world.h"

namespace starling {
namespace {

using Values = std::vector<float>;

const Values kOnes(GossipWorld::kElements, 1.0f);
const Values kFours(GossipWorld::kElements, 4.0f);
const Values kMean(GossipWorld::kElements, 2.5f);

TEST(GossipActorTest, ATriggerStartsAnExchangeThatEndsInTheMiddle) {
  GossipWorld world(2);
  world.StartExchange(1);
  EXPECT_EQ(world.underway.size(), GossipWorld::kShards);
  world.Settle();
  EXPECT_EQ(world.node(1).owner.values, kMean);
  EXPECT_EQ(world.node(2).owner.values, kMean);
}

TEST(GossipActorTest, ARequestCarriesTheSnapshotAndSaysWhoAndWhat) {
  GossipWorld world(2);
  world.node(1).owner.step = 33;
  world.StartExchange(1);
  for (uint32_t shard = 0; shard < GossipWorld::kShards; ++shard) {
    const GossipWorld::Message message = world.TakeFirst();
    const v1::ShardHeader& header = message.frame.header;
    EXPECT_EQ(message.to, PeerId(2));
    EXPECT_EQ(header.kind(), v1::FRAME_KIND_MIX_REQUEST);
    EXPECT_FALSE(Admit(world.node(2).identity, header).has_value());
    EXPECT_EQ(header.sender(), 1);
    EXPECT_EQ(header.shard(), shard);
    EXPECT_EQ(header.step(), 33);
    EXPECT_NE(header.exchange_id(), 0);
    EXPECT_EQ(message.frame.payload.size(), header.elements() * sizeof(float));
    EXPECT_EQ(message.frame.payload.floats()[0], 1.0f);
  }
}

TEST(GossipActorTest, WhatIsThereOfASnapshotIsOnItsWayBeforeTheRestIsCopied) {
  GossipWorld world(2);
  FakeParameterOwner& owner = world.node(1).owner;
  owner.in_pieces = true;
  const auto next = [&] {
    owner.NextPiece();
    world.executor.RunPosted();
  };
  world.StartExchange(1);
  EXPECT_EQ(world.underway.size(), 1);
  world.Settle();
  EXPECT_EQ(world.status(1).shards_committed(), 1);
  EXPECT_EQ(world.status(1).exchanges_committed(), 0);
  world.Step(1);
  EXPECT_EQ(owner.waiting(), 0) << "no second exchange begins meanwhile";
  next();
  EXPECT_EQ(world.underway.size(), 1);
  EXPECT_EQ(world.underway.front().frame.header.shard(), 1);
  next();
  world.Settle();
  EXPECT_EQ(world.status(1).exchanges_committed(), 1);
  EXPECT_EQ(owner.values, kMean);
  EXPECT_EQ(world.node(2).owner.values, kMean);
  world.Step(1);
  EXPECT_EQ(owner.waiting(), 1);
}

TEST(GossipActorTest, ASnapshotWhoseRestDoesNotComeEndsTheExchangeWithWhatWasThere) {
  GossipWorld world(2);
  FakeParameterOwner& owner = world.node(1).owner;
  owner.in_pieces = true;
  world.StartExchange(1);
  world.Settle();
  owner.FailPiece();
  world.executor.RunPosted();
  EXPECT_EQ(world.status(1).exchanges_partial(), 1);
  EXPECT_DOUBLE_EQ(world.Sum(), 10 + 40);
  world.Step(1);
  EXPECT_EQ(owner.waiting(), 1) << "the next exchange may begin";
}

TEST(GossipActorTest, PiecesOfASnapshotOfAnExchangeThatWasGivenUpAreNotSent) {
  GossipWorld world(2);
  FakeParameterOwner& owner = world.node(1).owner;
  owner.in_pieces = true;
  world.StartExchange(1);
  world.SetCandidates(1, {});
  world.underway.clear();
  owner.NextPiece();
  world.executor.RunPosted();
  EXPECT_TRUE(world.underway.empty());
}

TEST(GossipActorTest, LocalStepsMadeMeanwhileAreKeptAndTheSumIsConserved) {
  GossipWorld world(2);
  world.StartExchange(1);
  for (float& value : world.node(1).owner.values) value += 10;
  world.Settle();
  EXPECT_EQ(world.node(1).owner.values, Values(GossipWorld::kElements, 12.5f));
  EXPECT_EQ(world.node(2).owner.values, kMean);
}

TEST(GossipActorTest, CountersAndDistanceTellBothSidesWhatHappened) {
  GossipWorld world(2);
  world.StartExchange(1);
  world.executor.Advance(absl::Milliseconds(40));
  world.Settle();
  const v1::GossipStatus initiator = world.status(1);
  EXPECT_EQ(initiator.exchanges_started(), 1);
  EXPECT_EQ(initiator.exchanges_committed(), 1);
  EXPECT_EQ(initiator.exchanges_partial(), 0);
  EXPECT_EQ(initiator.exchanges_failed(), 0);
  EXPECT_EQ(initiator.exchanges_answered(), 0);
  EXPECT_EQ(initiator.shards_committed(), 3);
  EXPECT_DOUBLE_EQ(initiator.exchange_seconds(), 0.04);
  const v1::GossipStatus responder = world.status(2);
  EXPECT_EQ(responder.exchanges_started(), 0);
  EXPECT_EQ(responder.exchanges_answered(), 1);
  EXPECT_EQ(responder.shards_answered(), 3);
  EXPECT_EQ(responder.orphaned_deltas(), 0);
  // |x_1 - x_2|^2 = 10 * 3^2, the distance of either from the mean its half, and a root.
  EXPECT_NEAR(initiator.consensus_distance(), std::sqrt(45.0), 1e-6);
  EXPECT_NEAR(responder.consensus_distance(), std::sqrt(45.0), 1e-6);
}

TEST(GossipActorTest, OneExchangeIsOutstandingAtATime) {
  GossipWorld world(3);
  world.Step(1);
  world.Step(1);  // while the snapshot is being taken
  world.Boundary(1);
  world.Step(1);  // while the exchange is underway
  world.Boundary(1);
  EXPECT_EQ(world.node(1).owner.snapshots, 1);
  EXPECT_EQ(world.underway.size(), GossipWorld::kShards);
  world.Settle();
  world.StartExchange(1);
  EXPECT_EQ(world.node(1).owner.snapshots, 2);
  EXPECT_EQ(world.status(1).exchanges_started(), 2);
}

TEST(GossipActorTest, ExchangeIdsGrowAndDifferBetweenIncarnations) {
  GossipWorld world(2);
  world.StartExchange(1);
  const uint64_t first = world.underway.front().frame.header.exchange_id();
  world.Settle();
  world.StartExchange(1);
  EXPECT_EQ(world.underway.front().frame.header.exchange_id(), first + 1);

  FrameIdentity reborn = world.node(1).identity;
  ++reborn.incarnation;
  GossipActor actor(&world.executor, &world.node(1), &world.node(1).owner, reborn,
                    EagerAlgorithm("elastic_gossip"), Random(1), {});
  world.underway.clear();
  world.executor.Do([&] {
    actor.SetCandidates(world.Others(PeerId(1)));
    actor.SetAccepting(true);
    actor.OnStep(1);
  });
  world.Boundary(1);
  EXPECT_GT(world.underway.front().frame.header.exchange_id(), first + 1000);
}

TEST(GossipActorTest, EveryStepOfALeapIsConsidered) {
  GossipWorld world(1);
  GossipWorld::Node& node = world.node(1);
  v1::AlgorithmConfig config;
  config.set_name("elastic_gossip");
  for (const auto& [name, value] : {std::pair{"p", 1.0}, std::pair{"tau", 10.0}}) {
    config.add_options()->set_name(name);
    config.mutable_options()->rbegin()->set_value(value);
  }
  GossipActor actor(&world.executor, &node, &node.owner, node.identity, *MakeAlgorithm(config),
                    Random(1), {});
  world.executor.Do([&] {
    actor.SetCandidates({{PeerId(2), "peer2:1"}});
    actor.SetAccepting(true);
    actor.Begin(100);
    actor.OnStep(109);
  });
  EXPECT_EQ(node.owner.waiting(), 0);
  world.executor.Do([&] { actor.OnStep(112); });
  EXPECT_EQ(node.owner.waiting(), 1);
}

TEST(GossipActorTest, NothingStartsWithoutCandidatesOrWhileNotTraining) {
  GossipWorld world(2);
  world.SetCandidates(1, {});
  world.StartExchange(1);
  world.SetCandidates(1, world.Others(PeerId(1)));
  world.executor.Do([&] { world.node(1).actor->SetAccepting(false); });
  world.StartExchange(1);
  EXPECT_TRUE(world.underway.empty());
  EXPECT_EQ(world.status(1).exchanges_started(), 0);
}

TEST(GossipActorTest, AChosenPeerThatIsGoneWhenTheSnapshotComesIsNotAsked) {
  GossipWorld world(2);
  world.Step(1);
  world.SetCandidates(1, {});
  world.Boundary(1);
  EXPECT_TRUE(world.underway.empty());
  world.SetCandidates(1, world.Others(PeerId(1)));
  world.StartExchange(1);
  EXPECT_EQ(world.underway.size(), GossipWorld::kShards);
}

TEST(GossipActorTest, ATrainerTooBusyForASnapshotMeansNoExchangeThisTime) {
  GossipWorld world(2);
  world.node(1).owner.full = true;
  world.StartExchange(1);
  EXPECT_EQ(world.status(1).exchanges_started(), 0);
  world.node(1).owner.full = false;
  world.StartExchange(1);
  EXPECT_EQ(world.status(1).exchanges_started(), 1);
}

TEST(GossipActorTest, NoneNeverExchangesAndRefusesRequests) {
  GossipWorld world(2, "none");
  world.StartExchange(1);
  EXPECT_TRUE(world.underway.empty());
  EXPECT_EQ(world.node(1).owner.snapshots, 0);

  GossipWorld other(2);
  other.StartExchange(1);
  GossipWorld::Message request = other.TakeFirst();
  world.Deliver(std::move(request));
  world.Settle();
  ASSERT_EQ(world.node(2).refused.size(), 1);
  EXPECT_EQ(world.node(2).refused[0], v1::REFUSAL_REASON_BAD_REQUEST);
  EXPECT_EQ(world.node(2).owner.values, kFours);
}

TEST(GossipActorTest, APullMovesTheInitiatorHalfWayAndTheResponderNot) {
  GossipWorld world(2, "gossiping_sgd");
  world.StartExchange(1);
  for (const GossipWorld::Message& message : world.underway) {
    EXPECT_TRUE(message.frame.payload.empty());
  }
  world.Settle();
  EXPECT_EQ(world.node(1).owner.values, kMean);
  EXPECT_EQ(world.node(2).owner.values, kFours);
  EXPECT_NEAR(world.status(1).consensus_distance(), std::sqrt(45.0), 1e-6);
  EXPECT_EQ(world.status(2).consensus_distance(), 0);
  EXPECT_EQ(world.status(2).exchanges_answered(), 1);
}

TEST(GossipActorTest, APayloadThatIsNotAskedOrIsMissingIsRefused) {
  GossipWorld pull(2, "gossiping_sgd");
  GossipWorld elastic(2);
  pull.StartExchange(1);
  elastic.StartExchange(1);
  GossipWorld::Message without = pull.TakeFirst();
  GossipWorld::Message with = elastic.TakeFirst();
  pull.Deliver(std::move(with));
  elastic.Deliver(std::move(without));
  EXPECT_EQ(pull.node(2).refused,
            std::vector<v1::RefusalReason>{v1::REFUSAL_REASON_WRONG_LENGTH});
  EXPECT_EQ(elastic.node(2).refused,
            std::vector<v1::RefusalReason>{v1::REFUSAL_REASON_WRONG_LENGTH});
  EXPECT_EQ(pull.node(2).owner.waiting() + elastic.node(2).owner.waiting(), 0);
}

TEST(GossipActorTest, AFrameThatIsNoPartOfAnExchangeIsRefused) {
  GossipWorld world(2);
  for (const v1::FrameKind kind : {v1::FRAME_KIND_STATE_REQUEST, v1::FRAME_KIND_AVERAGE}) {
    Frame frame;
    StampHeader(world.node(1).identity, 0, frame.header);
    frame.header.set_kind(kind);
    world.Deliver({PeerId(1), PeerId(2), frame});
  }
  EXPECT_EQ(world.node(2).refused, (std::vector<v1::RefusalReason>{
                                       v1::REFUSAL_REASON_BAD_REQUEST,
                                       v1::REFUSAL_REASON_BAD_REQUEST}));
}

TEST(GossipActorTest, DrainingWithNothingOutstandingIsDoneAtOnce) {
  GossipWorld world(2);
  bool done = false;
  world.executor.Do([&] {
    world.node(1).actor->Drain(world.executor.Now() + absl::Seconds(2), [&] { done = true; });
  });
  EXPECT_TRUE(done);
  world.StartExchange(1);
  EXPECT_TRUE(world.underway.empty());
}

TEST(GossipActorTest, DrainingDoesNotWaitForASnapshotThatNobodyNeedsAnyMore) {
  GossipWorld world(2);
  world.Step(1);
  bool done = false;
  world.executor.Do([&] {
    world.node(1).actor->Drain(world.executor.Now() + absl::Seconds(2), [&] { done = true; });
  });
  EXPECT_TRUE(done);
  world.Boundary(1);
  EXPECT_TRUE(world.underway.empty());
}

TEST(GossipActorTest, DrainingFinishesTheOutstandingExchange) {
  GossipWorld world(2);
  world.StartExchange(1);
  int done = 0;
  world.executor.Do([&] {
    world.node(1).actor->Drain(world.executor.Now() + absl::Seconds(2), [&] { ++done; });
  });
  EXPECT_EQ(done, 0);
  world.Settle();
  EXPECT_EQ(done, 1);
  EXPECT_EQ(world.status(1).exchanges_committed(), 1);
  EXPECT_EQ(world.node(1).owner.values, kMean);
  world.executor.Advance(absl::Minutes(1));
  EXPECT_EQ(done, 1);
}

TEST(GossipActorTest, DrainingGivesUpAtItsDeadline) {
  GossipWorld world(2);
  world.StartExchange(1);
  world.underway.clear();
  int done = 0;
  world.executor.Do([&] {
    world.node(1).actor->Drain(world.executor.Now() + absl::Seconds(2), [&] { ++done; });
  });
  world.executor.Advance(absl::Milliseconds(1999));
  EXPECT_EQ(done, 0);
  world.executor.Advance(absl::Milliseconds(1));
  EXPECT_EQ(done, 1);
  EXPECT_EQ(world.Take(v1::FRAME_KIND_SETTLE).size(), GossipWorld::kShards);
}

TEST(GossipActorTest, DrainingDoesNotWaitForATrainerThatDoesNotAnswer) {
  GossipWorld world(2);
  world.StartExchange(1);
  world.DeliverAll(world.Take(v1::FRAME_KIND_MIX_REQUEST));
  world.Boundary(2);
  world.DeliverAll(world.Take(v1::FRAME_KIND_MIX_REPLY));
  int done = 0;
  world.executor.Do([&] {
    world.node(1).actor->Drain(world.executor.Now() + absl::Seconds(2), [&] { ++done; });
  });
  world.executor.Advance(absl::Seconds(2));
  EXPECT_EQ(done, 1);
  world.Settle();
  EXPECT_EQ(world.Sum(), 50);
}

TEST(GossipActorTest, TheActorMayBeDestroyedByTheNewsThatItIsDrained) {
  GossipWorld world(2);
  world.StartExchange(1);
  world.underway.clear();
  world.executor.Do([&] {
    world.node(1).actor->Drain(world.executor.Now() + absl::Seconds(2),
                               [&] { world.node(1).actor.reset(); });
  });
  world.executor.Advance(absl::Seconds(2));
  EXPECT_EQ(world.node(1).actor, nullptr);
}

TEST(GossipActorTest, ADrainingPeerRefusesNewRequestsAndStillRepeatsItsReplies) {
  GossipWorld world(2);
  world.StartExchange(1);
  std::vector<GossipWorld::Message> requests = world.Take(v1::FRAME_KIND_MIX_REQUEST);
  world.Deliver(requests[0]);
  world.Boundary(2);
  world.underway.clear();  // the reply is lost
  world.executor.Do([&] { world.node(2).actor->Drain(absl::InfiniteFuture(), [] {}); });
  world.DeliverAll(requests);
  world.Settle();
  EXPECT_EQ(world.node(2).refused, (std::vector<v1::RefusalReason>{
                                       v1::REFUSAL_REASON_NOT_TRAINING,
                                       v1::REFUSAL_REASON_NOT_TRAINING}));
  EXPECT_EQ(world.status(1).exchanges_partial(), 1);
  EXPECT_EQ(world.status(1).shards_committed(), 1);
  EXPECT_EQ(world.status(2).orphaned_deltas(), 0);
  EXPECT_EQ(world.Sum(), 50);
}

}  // namespace
}  // namespace starling
