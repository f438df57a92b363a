// GossipActors on a network that loses, repeats, reorders and refuses.

#include <cmath>

#include "gtest/gtest.h"
#include "tests/peer/gossip/two_peers.h"

namespace starling {
namespace {

using Message = GossipWorld::Message;
using Values = std::vector<float>;

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
