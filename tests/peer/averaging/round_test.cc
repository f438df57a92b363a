#include "peer/averaging/round.h"

#include <cmath>
#include <limits>
#include <memory>
#include <set>
#include <vector>

#include "gtest/gtest.h"
#include "tests/peer/averaging/round_swarm.h"

namespace starling {
namespace {

constexpr ShardMap kSevenShards{.elements = 27, .shard_elements = 4};

std::vector<float> MeanOf(const RoundSwarm& swarm, const std::vector<uint64_t>& ids) {
  std::vector<float> mean;
  for (size_t i = 0; i < swarm.shards.elements; ++i) {
    double sum = 0;
    for (const uint64_t id : ids) sum += swarm.peers.at(PeerId(id)).parameters[i];
    mean.push_back(static_cast<float>(sum / static_cast<double>(ids.size())));
  }
  return mean;
}

void ExpectNear(const std::vector<float>& values, const std::vector<float>& expected) {
  ASSERT_EQ(values.size(), expected.size());
  for (size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], expected[i], 1e-5) << i;
}

TEST(AveragingRoundTest, AllPeersEndWithTheAverageAndTheSumIsKept) {
  RoundSwarm swarm(3, kSevenShards);
  const std::vector<float> mean = MeanOf(swarm, {1, 2, 3});
  const double sum = swarm.Sum();
  swarm.StartAll();
  swarm.Settle();
  for (const uint64_t id : {1, 2, 3}) {
    ExpectNear(swarm.peer(id).parameters, mean);
    EXPECT_EQ(swarm.peer(id).applied_shards.size(), 7u);
    EXPECT_TRUE(swarm.peer(id).round->complete());
    EXPECT_TRUE(swarm.peer(id).faults.empty());
  }
  EXPECT_NEAR(swarm.Sum(), sum, 1e-5 * std::abs(sum));
  EXPECT_EQ(swarm.now, swarm.begin);  // nobody waited for a timer
}

TEST(AveragingRoundTest, EachContributionTravelsOnceAndNoneToItsOwnOwner) {
  RoundSwarm swarm(3, kSevenShards);
  swarm.StartAll();
  swarm.RunToTheEnd();
  // Of seven shards peer 1 owns three, the others two each.
  EXPECT_EQ(swarm.peer(1).reduces_sent, 4);
  EXPECT_EQ(swarm.peer(2).reduces_sent, 5);
  EXPECT_EQ(swarm.peer(3).reduces_sent, 5);
}

TEST(AveragingRoundTest, MorePeersThanShardsAverageToo) {
  RoundSwarm swarm(5, {.elements = 6, .shard_elements = 4});
  const std::vector<float> mean = MeanOf(swarm, {1, 2, 3, 4, 5});
  swarm.StartAll();
  swarm.Settle();
  for (uint64_t id = 1; id <= 5; ++id) ExpectNear(swarm.peer(id).parameters, mean);
}

TEST(AveragingRoundTest, ParticipantsBeginWithDifferentOwners) {
  RoundSwarm swarm(4, kSevenShards);
  std::set<PeerId> first_owners;
  for (uint64_t id = 1; id <= 4; ++id) {
    swarm.Start(id);
    first_owners.insert(swarm.underway.front().to);
    swarm.underway.clear();
  }
  EXPECT_EQ(first_owners.size(), 4u);
}

TEST(AveragingRoundTest, StepsMadeMeanwhileAreKept) {
  RoundSwarm swarm(3, kSevenShards);
  const std::vector<float> mean = MeanOf(swarm, {1, 2, 3});
  swarm.StartAll();  // snapshots are taken, nothing has come back
  for (auto& [id, peer] : swarm.peers) {
    for (float& value : peer.parameters) value += static_cast<float>(id.value());
  }
  swarm.Settle();
  for (const uint64_t id : {1, 2, 3}) {
    std::vector<float> expected = mean;
    for (float& value : expected) value += static_cast<float>(id);
    ExpectNear(swarm.peer(id).parameters, expected);
  }
}

TEST(AveragingRoundTest, WeightsCount) {
  RoundSwarm swarm(2, {.elements = 4, .shard_elements = 2});
  const std::vector<float> one = swarm.peer(1).parameters;
  const std::vector<float> two = swarm.peer(2).parameters;
  swarm.options.weight = 3;
  swarm.Start(1);
  swarm.options.weight = 1;
  swarm.Start(2);
  swarm.Settle();
  std::vector<float> expected;
  for (size_t i = 0; i < one.size(); ++i) expected.push_back((3 * one[i] + two[i]) / 4);
  ExpectNear(swarm.peer(1).parameters, expected);
  ExpectNear(swarm.peer(2).parameters, expected);
}

TEST(AveragingRoundTest, TheOrderOfArrivalDoesNotChangeABit) {
  RoundSwarm forwards(4, kSevenShards);
  RoundSwarm backwards(4, kSevenShards);
  backwards.newest_first = true;
  for (RoundSwarm* swarm : {&forwards, &backwards}) {
    for (auto& [id, peer] : swarm->peers) {
      for (float& value : peer.parameters) value = std::exp(value * 0.37f);
    }
    swarm->StartAll();
    swarm->Settle();
  }
  for (uint64_t id = 1; id <= 4; ++id) {
    EXPECT_EQ(forwards.peer(id).parameters, backwards.peer(id).parameters);
  }
}

TEST(AveragingRoundTest, ALonelyParticipantDoesNothing) {
  RoundSwarm swarm(1, kSevenShards);
  const std::vector<float> before = swarm.peer(1).parameters;
  swarm.StartAll();
  EXPECT_TRUE(swarm.peer(1).round->over());
  EXPECT_FALSE(swarm.peer(1).round->joined());
  EXPECT_FALSE(swarm.peer(1).round->complete());
  EXPECT_EQ(swarm.peer(1).round->NextWake(), absl::InfiniteFuture());
  EXPECT_EQ(swarm.peer(1).parameters, before);
}

TEST(AveragingRoundTest, APeerOutsideThePlanTakesNoPart) {
  RoundSwarm swarm(3, kSevenShards);
  swarm.plan.participants.pop_back();
  swarm.StartAll();
  EXPECT_TRUE(swarm.peer(3).round->over());
  swarm.Settle();
  EXPECT_TRUE(swarm.peer(1).round->complete());
  EXPECT_TRUE(swarm.peer(3).applied_shards.empty());
}

TEST(AveragingRoundTest, ABusyTrainerIsAskedAgainAndAppliesEachShardOnce) {
  RoundSwarm swarm(3, kSevenShards);
  const std::vector<float> mean = MeanOf(swarm, {1, 2, 3});
  swarm.peer(2).trainer_busy = true;
  swarm.StartAll();
  swarm.RunUntil(swarm.begin + absl::Milliseconds(220));
  EXPECT_TRUE(swarm.peer(2).applied_shards.empty());
  swarm.peer(2).trainer_busy = false;
  swarm.RunUntil(swarm.begin + absl::Milliseconds(260));
  EXPECT_TRUE(swarm.peer(2).round->complete());
  swarm.RunToTheEnd();
  ExpectNear(swarm.peer(2).parameters, mean);
  EXPECT_EQ(swarm.peer(2).applied_shards.size(), 7u);
}

TEST(AveragingRoundTest, ATrainerThatGetsBusyAfterItsSnapshotAppliesLater) {
  RoundSwarm swarm(3, kSevenShards);
  const std::vector<float> mean = MeanOf(swarm, {1, 2, 3});
  swarm.StartAll();
  swarm.peer(2).trainer_busy = true;
  swarm.Settle();
  EXPECT_EQ(swarm.peer(2).round->applied(), 0u);
  EXPECT_TRUE(swarm.peer(1).round->complete());
  swarm.peer(2).trainer_busy = false;
  swarm.RunUntil(swarm.begin + absl::Milliseconds(60));
  EXPECT_TRUE(swarm.peer(2).round->complete());
  EXPECT_EQ(swarm.peer(2).applied_shards.size(), 7u);
  ExpectNear(swarm.peer(2).parameters, mean);
}

TEST(AveragingRoundTest, ATrainerThatStaysBusyMissesItsShards) {
  RoundSwarm swarm(3, kSevenShards);
  swarm.StartAll();
  swarm.peer(2).trainer_busy = true;
  swarm.RunToTheEnd();
  EXPECT_EQ(swarm.peer(2).round->applied(), 0u);
  EXPECT_EQ(swarm.peer(2).round->missed(), 7u);
}

TEST(AveragingRoundTest, ASnapshotWithNonFiniteValuesContributesNothing) {
  RoundSwarm swarm(3, kSevenShards);
  const std::vector<float> mean = MeanOf(swarm, {1, 3});
  swarm.peer(2).parameters[20] = std::numeric_limits<float>::quiet_NaN();
  swarm.StartAll();
  swarm.RunToTheEnd();
  EXPECT_EQ(swarm.peer(2).reduces_sent, 0);
  EXPECT_TRUE(swarm.peer(2).applied_shards.empty());
  ExpectNear(swarm.peer(1).parameters, mean);
  ExpectNear(swarm.peer(3).parameters, mean);
}

TEST(AveragingRoundTest, MemoryIsLetGoOf) {
  RoundSwarm swarm(3, kSevenShards);
  swarm.StartAll();
  const std::weak_ptr<const void> snapshot = swarm.underway.front().frame.payload.owner();
  swarm.Settle();
  EXPECT_TRUE(snapshot.expired());
}

TEST(RoundOptionsTest, ValidateNamesTheField) {
  EXPECT_TRUE(RoundOptions().Validate().ok());
  RoundOptions options;
  options.weight = 0;
  EXPECT_NE(options.Validate().message().find("weight"), absl::string_view::npos);
  options = {};
  options.contribution_share = std::numeric_limits<double>::quiet_NaN();
  EXPECT_NE(options.Validate().message().find("contribution_share"), absl::string_view::npos);
  options = {};
  options.min_retry = absl::ZeroDuration();
  EXPECT_NE(options.Validate().message().find("min_retry"), absl::string_view::npos);
}

}  // namespace
}  // namespace starling
