// Exchanges within the limits of the link: first precision, then frequency, on either side.

#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "peer/gossip/gossip_actor.h"
#include "tests/peer/gossip/gossip_world.h"

namespace starling {
namespace {

// A whole exchange of ten numbers takes 40 bytes in each direction as fp32, 20 as bf16.
constexpr uint64_t kPlain = GossipWorld::kElements * 4;
constexpr uint64_t kHalf = GossipWorld::kElements * 2;

void Limit(GossipWorld& world, uint64_t id, void (v1::LinkLimits::*set)(uint64_t), uint64_t bytes) {
  v1::LinkLimits limits;
  (limits.*set)(bytes);
  world.node(id).link->SetLimits(world.executor.Now(), limits);
}

// What one exchange that was due became.
struct Seen {
  bool made = false;
  v1::Codec request = v1::CODEC_UNSPECIFIED;
  v1::Codec reply = v1::CODEC_UNSPECIFIED;
  uint64_t request_bytes = 0;
  uint64_t reply_bytes = 0;
};

// An exchange is due at peer `id`, everything is delivered, and then a second passes.
Seen Exchange(GossipWorld& world, uint64_t id) {
  Seen seen;
  world.StartExchange(id);
  std::vector<GossipWorld::Message> requests = world.Take(v1::FRAME_KIND_MIX_REQUEST);
  seen.made = !requests.empty();
  for (const GossipWorld::Message& request : requests) {
    seen.request = request.frame.header.codec();
    seen.request_bytes += request.frame.payload.size();
  }
  world.DeliverAll(std::move(requests));
  for (auto& [other, node] : world.nodes) world.Boundary(other.value());
  std::vector<GossipWorld::Message> replies = world.Take(v1::FRAME_KIND_MIX_REPLY);
  for (const GossipWorld::Message& reply : replies) {
    seen.reply = reply.frame.header.codec();
    seen.reply_bytes += reply.frame.payload.size();
  }
  world.DeliverAll(std::move(replies));
  world.Settle();
  world.executor.Advance(absl::Seconds(1));
  return seen;
}

int Count(const std::vector<Seen>& exchanges, v1::Codec request) {
  int count = 0;
  for (const Seen& seen : exchanges) count += seen.made && seen.request == request;
  return count;
}

TEST(GossipBudgetTest, WithoutLimitsNothingChanges) {
  GossipWorld world(2);
  for (int i = 0; i < 20; ++i) {
    const Seen seen = Exchange(world, 1);
    EXPECT_EQ(seen.request, v1::CODEC_FP32);
    EXPECT_EQ(seen.reply, v1::CODEC_FP32);
  }
  const v1::BudgetStatus budget = world.status(1).budget();
  EXPECT_EQ(budget.exchanges_skipped() + budget.exchanges_coarser() + budget.exchanges_put_off(), 0);
  EXPECT_EQ(budget.sent_last_day(), 20 * kPlain);
  EXPECT_EQ(budget.received_last_day(), 20 * kPlain);
  EXPECT_EQ(budget.reason(), "");
}

TEST(GossipBudgetTest, ASendLimitFirstCostsPrecisionAndDoesNotWaver) {
  GossipWorld world(2);
  // Three quarters of what exchanges would take.
  Limit(world, 1, &v1::LinkLimits::set_send, 30);
  std::vector<Seen> seen;
  uint64_t bytes = 0;
  for (int i = 0; i < 100; ++i) {
    seen.push_back(Exchange(world, 1));
    bytes += seen.back().request_bytes;
    ASSERT_LE(bytes, 30 * i + kPlain + kPlain) << i;
  }
  EXPECT_EQ(Count(seen, v1::CODEC_BF16) + Count(seen, v1::CODEC_FP32), 100) << "none is skipped";
  EXPECT_GT(Count(seen, v1::CODEC_BF16), 80);
  EXPECT_GT(Count(seen, v1::CODEC_FP32), 8) << "what is left over is used";
  int changes = 0;
  for (size_t i = 1; i < seen.size(); ++i) changes += seen[i].request != seen[i - 1].request;
  EXPECT_LT(changes, 30);
  const v1::GossipStatus status = world.status(1);
  EXPECT_EQ(status.exchanges_committed(), 100);
  EXPECT_EQ(status.budget().exchanges_skipped(), 0);
  EXPECT_EQ(status.budget().exchanges_coarser(), Count(seen, v1::CODEC_BF16));
}

TEST(GossipBudgetTest, ThenItCostsFrequencyAndTellsWhenTheNextMayBe) {
  GossipWorld world(2);
  Limit(world, 1, &v1::LinkLimits::set_send, 5);
  int made = 0;
  uint64_t bytes = 0;
  for (int i = 0; i < 100; ++i) {
    const Seen seen = Exchange(world, 1);
    made += seen.made;
    bytes += seen.request_bytes;
    ASSERT_LE(bytes, 5 * i + 2 * kPlain);
    if (seen.made && i > 0) {
      EXPECT_EQ(seen.request, v1::CODEC_BF16) << i;
    }
  }
  EXPECT_NEAR(made, 100 / 4, 2) << "20 bytes at 5 a second";
  const v1::BudgetStatus budget = world.status(1).budget();
  EXPECT_EQ(budget.exchanges_skipped(), 100 - made);
  EXPECT_EQ(budget.request_codec(), "bf16");
  EXPECT_EQ(budget.reason(), "5 B/s sent in all");
  EXPECT_EQ(world.status(1).exchanges_started(), made);
  while (Exchange(world, 1).made) {
  }
  const double wait = world.status(1).budget().seconds_to_wait();
  EXPECT_GT(wait, 0);
  world.executor.Advance(absl::Seconds(wait));
  EXPECT_TRUE(Exchange(world, 1).made);
}

TEST(GossipBudgetTest, ALimitChangedAtRunTimeHoldsFromTheNextExchangeOn) {
  GossipWorld world(2);
  Limit(world, 1, &v1::LinkLimits::set_send, 1);
  Exchange(world, 1);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(Exchange(world, 1).made);
  Limit(world, 1, &v1::LinkLimits::set_send, 0);
  const Seen seen = Exchange(world, 1);
  EXPECT_TRUE(seen.made);
  EXPECT_EQ(seen.request, v1::CODEC_FP32);
  EXPECT_EQ(world.status(1).budget().request_codec(), "");
  EXPECT_EQ(world.status(1).budget().reason(), "");
}

TEST(GossipBudgetTest, ALimitPerPeerLeavesTheOthersAlone) {
  GossipWorld world(3);
  Limit(world, 1, &v1::LinkLimits::set_send_per_peer, 1);
  const std::map<PeerId, Contact> both = world.Others(PeerId(1));
  for (const uint64_t partner : {2, 3}) {
    world.SetCandidates(1, {{PeerId(partner), both.at(PeerId(partner))}});
    EXPECT_TRUE(Exchange(world, 1).made) << partner;
    EXPECT_FALSE(Exchange(world, 1).made) << partner;
  }
  EXPECT_EQ(world.status(1).budget().reason(), "1 B/s sent per peer");
}

TEST(GossipBudgetTest, AReceiveLimitAsksForCoarserRepliesAndIsGivenThem) {
  GossipWorld world(2);
  Limit(world, 1, &v1::LinkLimits::set_receive, 25);
  uint64_t bytes = 0;
  for (int i = 0; i < 50; ++i) {
    const Seen seen = Exchange(world, 1);
    bytes += seen.reply_bytes;
    ASSERT_LE(bytes, 25 * i + 2 * kPlain);
    EXPECT_EQ(seen.request, v1::CODEC_FP32) << "what is sent is not limited";
    if (i > 0 && i < static_cast<int>(CodecLadder::kPatience)) {
      EXPECT_EQ(seen.reply, v1::CODEC_BF16) << i;
    }
  }
  const v1::BudgetStatus budget = world.status(1).budget();
  EXPECT_EQ(budget.exchanges_skipped(), 0);
  EXPECT_GT(budget.exchanges_coarser(), 30);
  EXPECT_EQ(world.status(2).budget().exchanges_coarser(), 0) << "it has no limits of its own";
}

TEST(GossipBudgetTest, WhoeverAnswersWritesCoarserToStayWithinItsOwnLimit) {
  GossipWorld world(2);
  Limit(world, 2, &v1::LinkLimits::set_send, 25);
  EXPECT_EQ(Exchange(world, 1).reply, v1::CODEC_FP32);
  const Seen seen = Exchange(world, 1);
  EXPECT_EQ(seen.reply, v1::CODEC_BF16);
  EXPECT_EQ(seen.reply_bytes, kHalf);
  EXPECT_EQ(world.status(2).budget().reply_codec(), "bf16");
  EXPECT_EQ(world.status(2).budget().reason(), "25 B/s sent in all");
  EXPECT_EQ(world.status(1).exchanges_committed(), 2);
}

TEST(GossipBudgetTest, WhoeverCannotAnswerIsLeftAloneAsLongAsItAsked) {
  GossipWorld world(2);
  Limit(world, 2, &v1::LinkLimits::set_send, 2);
  uint64_t replied = 0;
  int made = 0;
  int answered = 0;
  for (int i = 0; i < 100; ++i) {
    const Seen seen = Exchange(world, 1);
    made += seen.made;
    answered += seen.reply_bytes > 0;
    replied += seen.reply_bytes;
    ASSERT_LE(replied, 2 * i + 2 * kPlain);
  }
  EXPECT_GT(replied, 2 * 100 * 0.7);
  EXPECT_LE(made, answered + 1) << "requests are not sent in vain";
  EXPECT_EQ(world.status(1).budget().exchanges_put_off(), 100 - made);
  EXPECT_EQ(world.status(1).exchanges_partial(), 0) << "an exchange is answered as a whole";
}

TEST(GossipBudgetTest, AReceiveLimitKeepsTheOthersRequestsWithinIt) {
  GossipWorld world(3);
  Limit(world, 3, &v1::LinkLimits::set_receive, 10);
  const std::map<PeerId, Contact> only = {{PeerId(3), GossipWorld::AddressOf(PeerId(3))}};
  world.SetCandidates(1, only);
  world.SetCandidates(2, only);
  uint64_t received = 0;
  for (int i = 0; i < 200; ++i) {
    for (const uint64_t asker : {1, 2}) received += Exchange(world, asker).request_bytes;
    // A bucket, and what each sent before it was told to wait.
    ASSERT_LE(received, 2 * 10 * i + 4 * kPlain);
  }
  EXPECT_GT(received, 0.7 * 10 * 400);
  const v1::GossipStatus status = world.status(3);
  EXPECT_LT(status.budget().exchanges_refused(), status.exchanges_answered() / 4 + 3)
      << "most of what comes is welcome";
  EXPECT_EQ(status.exchanges_partial(), 0);
}

TEST(GossipBudgetTest, NeitherOwnExchangesNorAnswersStarve) {
  GossipWorld world(2);
  Limit(world, 2, &v1::LinkLimits::set_send, 5);
  for (int i = 0; i < 200; ++i) {
    for (const uint64_t initiator : {1, 2}) {
      world.StartExchange(initiator);
      world.Settle();
    }
    world.executor.Advance(absl::Seconds(1));
  }
  // At least 20 bytes for a request of its own and 17 for a reply, at 5 a second.
  const v1::GossipStatus status = world.status(2);
  EXPECT_GT(status.exchanges_committed(), 15);
  EXPECT_GT(status.exchanges_answered(), 15);
  EXPECT_LE(status.budget().sent_last_day(), 200 * 5 + 2 * kPlain);
  EXPECT_GT(status.budget().sent_last_day(), 0.8 * 200 * 5);
}

TEST(GossipBudgetTest, ARefusedExchangeIsRefusedAsAWhole) {
  GossipWorld world(2);
  Limit(world, 2, &v1::LinkLimits::set_send, 2);
  Exchange(world, 1);
  // A partner that was not told, or does not care.
  GossipWorld other(2);
  other.StartExchange(1);
  std::vector<GossipWorld::Message> requests = other.Take(v1::FRAME_KIND_MIX_REQUEST);
  for (GossipWorld::Message& request : requests) {
    request.frame.header.set_exchange_id(request.frame.header.exchange_id() + 1000);
  }
  world.DeliverAll(std::move(requests));
  EXPECT_EQ(world.node(2).refused, std::vector(GossipWorld::kShards, v1::REFUSAL_REASON_BUSY));
  EXPECT_EQ(world.status(2).budget().exchanges_refused(), 1);
  for (const GossipWorld::Message& refusal : world.Take(v1::FRAME_KIND_REFUSAL)) {
    EXPECT_GT(refusal.frame.header.retry_after_ms(), 1000);
  }
}

TEST(GossipBudgetTest, NobodyIsLeftAloneForLongerThanTheLongestPause) {
  GossipWorld world(2);
  world.StartExchange(1);
  std::vector<GossipWorld::Message> requests = world.Take(v1::FRAME_KIND_MIX_REQUEST);
  for (const GossipWorld::Message& request : requests) {
    Frame refusal =
        MakeRefusal(request.frame.header, v1::REFUSAL_REASON_BUSY, "come again next year");
    refusal.header.set_sender(2);
    refusal.header.set_sender_incarnation(1);
    refusal.header.set_retry_after_ms(std::numeric_limits<uint32_t>::max());
    world.Deliver({PeerId(2), PeerId(1), std::move(refusal)});
  }
  EXPECT_FALSE(Exchange(world, 1).made);
  EXPECT_EQ(world.status(1).budget().exchanges_put_off(), 1);
  world.executor.Advance(ExchangeBudget::kLongestPause);
  EXPECT_TRUE(Exchange(world, 1).made);
}

TEST(GossipBudgetTest, MassIsNotGivenAwayForAnExchangeThatIsSkipped) {
  GossipWorld world(2, "gosgd");
  Limit(world, 1, &v1::LinkLimits::set_send, 1);
  EXPECT_TRUE(Exchange(world, 1).made);
  const std::vector<double> masses = world.node(1).owner.masses;
  EXPECT_FALSE(Exchange(world, 1).made);
  EXPECT_EQ(world.node(1).owner.masses, masses);
}

TEST(GossipBudgetTest, RepliesThatCarryValuesStayFineEnoughForThem) {
  GossipWorld world(2, "gossiping_sgd");
  Limit(world, 1, &v1::LinkLimits::set_receive, 5);
  int made = 0;
  for (int i = 0; i < 40; ++i) {
    const Seen seen = Exchange(world, 1);
    made += seen.made;
    if (seen.made && i > 0) {
      EXPECT_EQ(seen.reply, v1::CODEC_BF16) << i;
    }
  }
  EXPECT_NEAR(made, 10, 2);
}

}  // namespace
}  // namespace starling
