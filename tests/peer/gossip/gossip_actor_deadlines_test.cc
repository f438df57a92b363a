// How long GossipActors wait for each other, and what they send again meanwhile.

#include "gtest/gtest.h"
#include "tests/peer/gossip/two_peers.h"

namespace starling {
namespace {

using Message = GossipWorld::Message;

TEST(GossipActorDeadlinesTest, LostRequestsAndRepliesAreRepairedByTheResendTimer) {
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

TEST(GossipActorDeadlinesTest, WhatIsNotAnsweredIsResentTwiceAndGivenUpAtTheDeadline) {
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

// Seed 2442 of the soak: an exchange had eight minutes, because the first step had taken three and a half.
TEST(GossipActorDeadlinesTest, AStandstillIsNoStepOfOnesOwn) {
  GossipWorld world(2);
  bool in_touch = false;
  world.executor.Do([&] { world.node(1).actor->SetInTouch([&] { return in_touch; }); });
  world.Step(1);
  world.executor.Advance(absl::Minutes(10));
  world.Step(1);
  in_touch = true;
  world.executor.Advance(absl::Seconds(1));
  world.StartExchange(1);
  ASSERT_EQ(world.status(1).exchanges_started(), 1);
  world.underway.clear();
  world.executor.Advance(4 * kQuarter + absl::Seconds(3));
  EXPECT_EQ(world.status(1).exchanges_failed(), 1);
}

TEST(GossipActorDeadlinesTest, WhatIsNotThereYetIsNotSentAgainEither) {
  GossipWorld world(2);
  world.node(1).owner.in_pieces = true;
  world.StartExchange(1);
  world.underway.clear();
  world.executor.Advance(kQuarter);
  const std::vector<Message> again = world.Take(v1::FRAME_KIND_MIX_REQUEST);
  ASSERT_EQ(again.size(), 1);
  EXPECT_EQ(again[0].frame.header.shard(), 0);
}

TEST(GossipActorDeadlinesTest, WhileRepliesComeNothingIsSentAgain) {
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

TEST(GossipActorDeadlinesTest, EachPartnerHasADeadlineOfItsOwn) {
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

TEST(GossipActorDeadlinesTest, WithANewPartnerTheSlackIsByExperienceWithOthersAndTheLineIsAssumed) {
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

TEST(GossipActorDeadlinesTest, WhoTakesLongForAStepIsGivenTwiceThat) {
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

TEST(GossipActorDeadlinesTest, DeadlinesAreShownWithTheirSources) {
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

}  // namespace
}  // namespace starling
