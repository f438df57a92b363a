#include "peer/gossip/outgoing_exchange.h"

#include "gtest/gtest.h"

namespace starling {
namespace {

using Verdict = OutgoingExchange::ReplyVerdict;

OutgoingExchange Exchange(uint32_t shards) {
  return OutgoingExchange(ExchangeId(4), PeerId(2), "peer2:1", Snapshot{}, shards,
                          absl::UnixEpoch() + absl::Seconds(3));
}

TEST(OutgoingExchangeTest, KnowsWhatItIs) {
  const OutgoingExchange exchange = Exchange(3);
  EXPECT_EQ(exchange.id(), ExchangeId(4));
  EXPECT_EQ(exchange.peer(), PeerId(2));
  EXPECT_EQ(exchange.address(), "peer2:1");
  EXPECT_EQ(exchange.started(), absl::UnixEpoch() + absl::Seconds(3));
  EXPECT_EQ(exchange.shards(), 3);
  EXPECT_FALSE(exchange.finished());
}

TEST(OutgoingExchangeTest, EveryShardWaitsUntilItsReply) {
  OutgoingExchange exchange = Exchange(3);
  EXPECT_EQ(exchange.WaitingShards(), (std::vector<uint32_t>{0, 1, 2}));
  EXPECT_EQ(exchange.OnReply(1), Verdict::kApply);
  EXPECT_EQ(exchange.WaitingShards(), (std::vector<uint32_t>{0, 2}));
}

TEST(OutgoingExchangeTest, ShardsThatAreNotThereYetAreNeitherSentNorSettled) {
  OutgoingExchange exchange(ExchangeId(4), PeerId(2), "peer2:1", Snapshot(), 4, 1, absl::UnixEpoch());
  EXPECT_EQ(exchange.WaitingShards(), (std::vector<uint32_t>{0}));
  EXPECT_EQ(exchange.OnReply(1), Verdict::kIgnore) << "nobody asked";
  EXPECT_FALSE(exchange.OnRefusal(1));
  EXPECT_FALSE(exchange.OnDamaged(1));
  EXPECT_EQ(exchange.OnReply(0), Verdict::kApply);
  exchange.OnApplied(0, 1);
  EXPECT_FALSE(exchange.finished());
  EXPECT_EQ(exchange.Arrive(3), (std::vector<uint32_t>{1, 2}));
  EXPECT_TRUE(exchange.Arrive(3).empty());
  EXPECT_EQ(exchange.OnReply(1), Verdict::kApply);
  EXPECT_EQ(exchange.Abandon(), (std::vector<uint32_t>{2})) << "the fourth was never sent";
  exchange.OnApplied(1, 1);
  EXPECT_TRUE(exchange.finished());
  EXPECT_EQ(exchange.CommittedShards(), (std::vector<bool>{true, true, false, false}));
}

TEST(OutgoingExchangeTest, AReplyIsAppliedOnce) {
  OutgoingExchange exchange = Exchange(2);
  EXPECT_EQ(exchange.OnReply(0), Verdict::kApply);
  EXPECT_EQ(exchange.OnReply(0), Verdict::kIgnore);
  exchange.OnApplied(0, 2.5);
  EXPECT_EQ(exchange.OnReply(0), Verdict::kRepeatCommitted);
  EXPECT_EQ(exchange.committed(), 1);
}

TEST(OutgoingExchangeTest, ItEndsWhenTheLastShardIsApplied) {
  OutgoingExchange exchange = Exchange(2);
  exchange.OnReply(0);
  exchange.OnReply(1);
  EXPECT_FALSE(exchange.finished());
  exchange.OnApplied(1, 2);
  EXPECT_FALSE(exchange.finished());
  exchange.OnApplied(0, 3);
  EXPECT_TRUE(exchange.finished());
  EXPECT_EQ(exchange.committed(), 2);
  EXPECT_EQ(exchange.squared_distance(), 5);
  EXPECT_EQ(exchange.CommittedShards(), (std::vector<bool>{true, true}));
}

TEST(OutgoingExchangeTest, ARefusedShardIsOverAndALateReplyToItIsNotApplied) {
  OutgoingExchange exchange = Exchange(2);
  EXPECT_TRUE(exchange.OnRefusal(0));
  EXPECT_FALSE(exchange.OnRefusal(0));
  EXPECT_EQ(exchange.WaitingShards(), (std::vector<uint32_t>{1}));
  EXPECT_EQ(exchange.OnReply(0), Verdict::kRepeatAbandoned);
  EXPECT_EQ(exchange.refused(), 1);
  exchange.OnReply(1);
  exchange.OnApplied(1, 1);
  EXPECT_TRUE(exchange.finished());
  EXPECT_EQ(exchange.CommittedShards(), (std::vector<bool>{false, true}));
}

TEST(OutgoingExchangeTest, ARefusalOfAnAnsweredShardChangesNothing) {
  OutgoingExchange exchange = Exchange(2);
  exchange.OnReply(0);
  EXPECT_FALSE(exchange.OnRefusal(0));
  exchange.OnApplied(0, 1);
  EXPECT_FALSE(exchange.OnRefusal(0));
  EXPECT_EQ(exchange.refused(), 0);
  EXPECT_EQ(exchange.committed(), 1);
}

TEST(OutgoingExchangeTest, AbandoningLeavesWhatIsBeingAppliedAndWhatWasCommitted) {
  OutgoingExchange exchange = Exchange(4);
  exchange.OnReply(0);
  exchange.OnApplied(0, 1);
  exchange.OnReply(1);
  EXPECT_EQ(exchange.Abandon(), (std::vector<uint32_t>{2, 3}));
  EXPECT_FALSE(exchange.finished());
  EXPECT_EQ(exchange.OnReply(2), Verdict::kRepeatAbandoned);
  EXPECT_TRUE(exchange.Abandon().empty());
  exchange.OnApplied(1, 1);
  EXPECT_TRUE(exchange.finished());
  EXPECT_EQ(exchange.CommittedShards(), (std::vector<bool>{true, true, false, false}));
}

TEST(OutgoingExchangeTest, AShardWhoseReplyCannotBeUsedIsGivenUp) {
  OutgoingExchange exchange = Exchange(1);
  exchange.OnReply(0);
  exchange.OnUnusable(0);
  EXPECT_TRUE(exchange.finished());
  EXPECT_EQ(exchange.committed(), 0);
  EXPECT_EQ(exchange.OnReply(0), Verdict::kRepeatAbandoned);
}

TEST(OutgoingExchangeTest, AReplyThatTheTrainerWouldNotTakeMayComeAgain) {
  OutgoingExchange exchange = Exchange(1);
  exchange.OnReply(0);
  exchange.OnApplyRefused(0);
  EXPECT_FALSE(exchange.finished());
  EXPECT_EQ(exchange.WaitingShards(), (std::vector<uint32_t>{0}));
  EXPECT_EQ(exchange.OnReply(0), Verdict::kApply);
  exchange.OnApplied(0, 1);
  EXPECT_TRUE(exchange.finished());
}

}  // namespace
}  // namespace starling
