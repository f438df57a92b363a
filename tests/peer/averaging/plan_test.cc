#include "peer/averaging/plan.h"

#include <limits>
#include <vector>

#include "gtest/gtest.h"

namespace starling {
namespace {

v1::RoundPlan Plan(std::vector<uint64_t> participants, double deadline_seconds = 10) {
  v1::RoundPlan plan;
  plan.set_epoch(2);
  plan.set_round(5);
  for (const uint64_t id : participants) plan.add_participants(id);
  plan.set_deadline_seconds(deadline_seconds);
  return plan;
}

v1::RefusalReason ReasonFor(uint64_t epoch, uint64_t round) {
  v1::ShardHeader header;
  header.set_epoch(epoch);
  header.set_round(round);
  const absl::optional<FrameFault> fault = CheckRound(header, RoundKey{2, 5});
  return fault ? fault->reason : v1::REFUSAL_REASON_UNSPECIFIED;
}

TEST(AveragingPlanTest, ShardsGoRoundAmongTheParticipants) {
  const absl::StatusOr<AveragingPlan> plan = ParsePlan(Plan({3, 8, 9}));
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->key, (RoundKey{2, 5}));
  EXPECT_EQ(plan->deadline, absl::Seconds(10));
  EXPECT_EQ(plan->OwnerOf(0), PeerId(3));
  EXPECT_EQ(plan->OwnerOf(2), PeerId(9));
  EXPECT_EQ(plan->OwnerOf(4), PeerId(8));
  EXPECT_EQ(plan->IndexOf(PeerId(8)), size_t{1});
  EXPECT_FALSE(plan->IndexOf(PeerId(4)).has_value());
}

TEST(AveragingPlanTest, NonsenseIsRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(ParsePlan(Plan({})).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ParsePlan(Plan({0, 1})).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ParsePlan(Plan({2, 1})).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ParsePlan(Plan({1, 1})).status()));
  for (const double deadline : {0.0, -1.0, 1e9, std::numeric_limits<double>::infinity(),
                                std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParsePlan(Plan({1, 2}, deadline)).status())) << deadline;
  }
  v1::RoundPlan nameless = Plan({1, 2});
  nameless.clear_epoch();
  nameless.clear_round();
  EXPECT_TRUE(absl::IsInvalidArgument(ParsePlan(nameless).status()));
  v1::RoundPlan crowd;
  for (uint64_t id = 1; id <= kMaxParticipants + 1; ++id) crowd.add_participants(id);
  crowd.set_epoch(1);
  crowd.set_deadline_seconds(1);
  EXPECT_TRUE(absl::IsInvalidArgument(ParsePlan(crowd).status()));
}

TEST(AveragingPlanTest, ALaterEpochIsNewerWhateverItsRound) {
  EXPECT_LT((RoundKey{2, 9}), (RoundKey{3, 1}));
  EXPECT_LT((RoundKey{2, 5}), (RoundKey{2, 6}));
}

TEST(AveragingPlanTest, AnEarlierEpochIsWrongAndOtherRoundsMayStillBecomeKnown) {
  EXPECT_EQ(ReasonFor(2, 5), v1::REFUSAL_REASON_UNSPECIFIED);
  EXPECT_EQ(ReasonFor(1, 5), v1::REFUSAL_REASON_WRONG_EPOCH);
  EXPECT_EQ(ReasonFor(2, 6), v1::REFUSAL_REASON_UNKNOWN_ROUND);
  EXPECT_EQ(ReasonFor(2, 4), v1::REFUSAL_REASON_UNKNOWN_ROUND);
  EXPECT_EQ(ReasonFor(3, 5), v1::REFUSAL_REASON_UNKNOWN_ROUND);
}

}  // namespace
}  // namespace starling
