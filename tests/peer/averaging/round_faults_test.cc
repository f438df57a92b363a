// Losses, latecomers, and frames that do not belong.

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "peer/averaging/round.h"
#include "tests/peer/averaging/round_swarm.h"

namespace starling {
namespace {

constexpr ShardMap kSixShards{.elements = 22, .shard_elements = 4};

bool IsReduce(const RoundSwarm::Message& message) {
  return message.frame.header.kind() == v1::FRAME_KIND_REDUCE;
}
bool IsAverage(const RoundSwarm::Message& message) {
  return message.frame.header.kind() == v1::FRAME_KIND_AVERAGE;
}

class RoundFaultsTest : public testing::Test {
 protected:
  RoundFaultsTest() {
    for (auto& [id, peer] : swarm_.peers) before_[id.value()] = peer.parameters;
    sum_ = swarm_.Sum();
  }

  float MeanAt(size_t i, const std::vector<uint64_t>& ids) const {
    double sum = 0;
    for (const uint64_t id : ids) sum += before_.at(id)[i];
    return static_cast<float>(sum / static_cast<double>(ids.size()));
  }
  void ExpectAveraged(const std::vector<uint64_t>& ids) {
    for (const uint64_t id : ids) {
      for (size_t i = 0; i < swarm_.shards.elements; ++i) {
        EXPECT_NEAR(swarm_.peer(id).parameters[i], MeanAt(i, ids), 1e-5) << id << " at " << i;
      }
    }
  }
  void ExpectAllAveraged() {
    ExpectAveraged({1, 2, 3});
    for (const uint64_t id : {1, 2, 3}) {
      EXPECT_TRUE(swarm_.peer(id).round->complete()) << id;
      EXPECT_EQ(swarm_.peer(id).applied_shards.size(), 6u) << id;
    }
    EXPECT_NEAR(swarm_.Sum(), sum_, 1e-5 * std::abs(sum_));
  }
  v1::RefusalReason ReasonFor(uint64_t to, const Frame& frame) {
    const AveragingRound::Outcome outcome = swarm_.Give(to, frame);
    EXPECT_TRUE(outcome.actions.empty());
    return outcome.fault ? outcome.fault->reason : v1::REFUSAL_REASON_UNSPECIFIED;
  }
  Frame Reduce(uint64_t from, uint32_t shard) {
    return swarm_.MakeFrame(v1::FRAME_KIND_REDUCE, from, shard,
                            swarm_.Freeze(std::vector<float>(swarm_.shards.length(shard), 50)));
  }
  Frame Average(uint64_t from, uint32_t shard, const std::vector<uint64_t>& contributors) {
    Frame frame =
        swarm_.MakeFrame(v1::FRAME_KIND_AVERAGE, from, shard,
                         swarm_.Freeze(std::vector<float>(swarm_.shards.length(shard), 50)));
    for (const uint64_t id : contributors) frame.header.add_contributors(id);
    return frame;
  }
  AveragingRound& round(uint64_t id) { return *swarm_.peer(id).round; }

  RoundSwarm swarm_{3, kSixShards};  // peer 1 owns shards 0 and 3, peer 2 1 and 4, peer 3 2 and 5
  std::map<uint64_t, std::vector<float>> before_;
  double sum_ = 0;
};

TEST_F(RoundFaultsTest, WhatIsFarOutOfScaleIsNeitherAveragedNorApplied) {
  std::vector<float>& huge = swarm_.peer(3).parameters;
  huge.assign(huge.size(), 1e7f);
  swarm_.StartAll();
  swarm_.RunToTheEnd();
  for (const uint64_t id : {1, 2}) {
    for (size_t i = 0; i < swarm_.shards.elements; ++i) {
      // Peer 3 owns shards 2 and 5.
      const bool owned_by_honest = i / 4 % 3 != 2;
      EXPECT_NEAR(swarm_.peer(id).parameters[i],
                  owned_by_honest ? MeanAt(i, {1, 2}) : before_.at(id)[i], 1e-5);
    }
    EXPECT_THAT(swarm_.peer(id).faults, testing::Contains(v1::REFUSAL_REASON_OUT_OF_SCALE));
  }
}

TEST_F(RoundFaultsTest, ALostContributionIsRepeated) {
  int lost = 0;
  swarm_.copies = [&](const auto& message) { return IsReduce(message) && lost++ == 0 ? 0 : 1; };
  swarm_.StartAll();
  swarm_.Settle();
  EXPECT_FALSE(round(1).complete());
  swarm_.RunUntil(swarm_.begin + absl::Seconds(1));  // max(500 ms, 10 s / 10)
  ExpectAllAveraged();
}

TEST_F(RoundFaultsTest, ALostAverageIsAnsweredAgain) {
  int lost = 0;
  swarm_.copies = [&](const auto& message) { return IsAverage(message) && lost++ == 0 ? 0 : 1; };
  swarm_.StartAll();
  swarm_.Settle();
  swarm_.RunUntil(swarm_.begin + absl::Seconds(1));
  ExpectAllAveraged();
}

TEST_F(RoundFaultsTest, AQuarterOfAllFramesMayBeLost) {
  uint64_t state = 1;
  swarm_.copies = [&](const auto&) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return state >> 62 == 0 ? 0 : 1;
  };
  swarm_.StartAll();
  swarm_.RunToTheEnd();
  ExpectAllAveraged();
}

TEST_F(RoundFaultsTest, RepeatedAndReorderedFramesChangeNothing) {
  swarm_.copies = [](const auto&) { return 3; };
  swarm_.newest_first = true;
  swarm_.StartAll();
  swarm_.RunToTheEnd();
  ExpectAllAveraged();
}

TEST_F(RoundFaultsTest, AMissingParticipantIsLeftOutAndItsShardsAreMissed) {
  swarm_.Start(1);
  swarm_.Start(2);
  swarm_.copies = [](const auto& message) { return message.to == PeerId(3) ? 0 : 1; };
  swarm_.RunUntil(swarm_.begin + absl::Milliseconds(4999));
  EXPECT_EQ(round(1).applied(), 0u);
  swarm_.RunUntil(swarm_.begin + absl::Milliseconds(5000));
  EXPECT_EQ(round(1).applied(), 4u);
  EXPECT_FALSE(round(1).over());
  swarm_.RunToTheEnd();
  for (const uint64_t id : {1, 2}) {
    EXPECT_TRUE(round(id).over());
    EXPECT_FALSE(round(id).complete());
    EXPECT_EQ(round(id).applied(), 4u);
    EXPECT_EQ(round(id).missed(), 2u);
    for (size_t i = 0; i < swarm_.shards.elements; ++i) {
      const uint32_t shard = static_cast<uint32_t>(i / swarm_.shards.shard_elements);
      const bool averaged = shard % 3 != 2;
      EXPECT_NEAR(swarm_.peer(id).parameters[i],
                  averaged ? MeanAt(i, {1, 2}) : before_[id][i], 1e-5)
          << i;
    }
  }
  EXPECT_NEAR(swarm_.Sum(), sum_, 1e-5 * std::abs(sum_));
}

TEST_F(RoundFaultsTest, AnOwnerThatVanishesAfterContributingTakesOnlyItsShardsAlong) {
  swarm_.StartAll();
  swarm_.copies = [](const auto& message) { return message.to == PeerId(3) ? 0 : 1; };
  swarm_.RunToTheEnd();
  EXPECT_EQ(round(1).applied(), 4u);
  EXPECT_EQ(round(1).missed(), 2u);
  EXPECT_EQ(swarm_.peer(1).parameters[8], before_[1][8]);  // shard 2
  EXPECT_NEAR(swarm_.peer(1).parameters[0], MeanAt(0, {1, 2, 3}), 1e-5);
}

TEST_F(RoundFaultsTest, AnOwnerWithoutThePlanIsAskedAgainSoon) {
  swarm_.Start(1);
  swarm_.Start(2);
  swarm_.Settle();
  swarm_.RunUntil(swarm_.begin + absl::Milliseconds(100));
  swarm_.Start(3);
  swarm_.RunUntil(swarm_.begin + absl::Milliseconds(200));
  ExpectAllAveraged();
}

TEST_F(RoundFaultsTest, AFinalRefusalEndsTheRepetitions) {
  swarm_.Start(1);
  EXPECT_EQ(swarm_.peer(1).reduces_sent, 4);
  swarm_.underway.clear();
  for (const uint32_t shard : {1, 2, 4, 5}) {
    Frame refusal = MakeRefusal(Reduce(1, shard).header, v1::REFUSAL_REASON_NOT_TRAINING, "");
    refusal.header.set_sender(swarm_.plan.OwnerOf(shard).value());
    EXPECT_TRUE(round(1).OnRefusal(swarm_.now, refusal.header).empty());
  }
  swarm_.RunToTheEnd();
  EXPECT_EQ(swarm_.peer(1).reduces_sent, 4);
  EXPECT_EQ(round(1).missed(), 6u);
}

TEST_F(RoundFaultsTest, ARefusalFromAnyoneButTheOwnerMeansNothing) {
  swarm_.Start(1);
  swarm_.underway.clear();
  Frame refusal = MakeRefusal(Reduce(1, 1).header, v1::REFUSAL_REASON_NOT_TRAINING, "");
  refusal.header.set_sender(3);
  round(1).OnRefusal(swarm_.now, refusal.header);
  refusal.header.set_sender(2);
  refusal.header.set_shard(4000);
  round(1).OnRefusal(swarm_.now, refusal.header);
  swarm_.copies = [](const auto&) { return 0; };
  swarm_.RunUntil(swarm_.begin + absl::Seconds(1));
  EXPECT_EQ(swarm_.peer(1).reduces_sent, 8);
}

TEST_F(RoundFaultsTest, AnAverageStillCountsAfterARefusal) {
  swarm_.Start(1);
  Frame refusal = MakeRefusal(Reduce(1, 1).header, v1::REFUSAL_REASON_BAD_REQUEST, "");
  refusal.header.set_sender(2);
  round(1).OnRefusal(swarm_.now, refusal.header);
  swarm_.Do(PeerId(1), swarm_.Give(1, Average(2, 1, {1, 2})).actions);
  EXPECT_EQ(swarm_.peer(1).applied_shards, std::vector<uint32_t>{1});
}

TEST_F(RoundFaultsTest, AContributionThatIsTooLateIsRefused) {
  swarm_.Start(1);
  swarm_.Start(2);
  swarm_.copies = [](const auto& message) { return message.to == PeerId(3) ? 0 : 1; };
  swarm_.RunUntil(swarm_.begin + absl::Seconds(5));
  EXPECT_EQ(ReasonFor(1, Reduce(3, 0)), v1::REFUSAL_REASON_BAD_REQUEST);
}

TEST_F(RoundFaultsTest, ASnapshotAfterTheContributionsAreClosedIsNotUsed) {
  swarm_.peer(3).snapshots_held = true;
  swarm_.StartAll();
  swarm_.RunUntil(swarm_.begin + absl::Seconds(6));
  swarm_.Do(PeerId(3),
            round(3).OnSnapshot(swarm_.now, swarm_.Freeze(swarm_.peer(3).parameters)));
  swarm_.RunToTheEnd();
  EXPECT_EQ(swarm_.peer(3).reduces_sent, 0);
  EXPECT_TRUE(swarm_.peer(3).applied_shards.empty());
  // As an owner it served the others nevertheless.
  ExpectAveraged({1, 2});
  EXPECT_TRUE(round(1).complete());
}

TEST_F(RoundFaultsTest, NobodyButAContributorApplies) {
  swarm_.peer(3).snapshots_held = true;
  swarm_.StartAll();
  EXPECT_EQ(ReasonFor(3, Average(1, 0, {1, 2, 3})), v1::REFUSAL_REASON_BAD_REQUEST);
  EXPECT_EQ(ReasonFor(2, Average(1, 0, {1, 3})), v1::REFUSAL_REASON_BAD_REQUEST);
  EXPECT_EQ(ReasonFor(2, Average(3, 0, {1, 2, 3})), v1::REFUSAL_REASON_BAD_REQUEST);  // no owner
  EXPECT_EQ(ReasonFor(1, Average(1, 0, {1, 2, 3})), v1::REFUSAL_REASON_BAD_REQUEST);  // itself
}

TEST_F(RoundFaultsTest, AnAverageIsAppliedOnce) {
  swarm_.Start(1);
  swarm_.Do(PeerId(1), swarm_.Give(1, Average(2, 1, {1, 2})).actions);
  const std::vector<float> after = swarm_.peer(1).parameters;
  EXPECT_EQ(ReasonFor(1, Average(2, 1, {1, 2})), v1::REFUSAL_REASON_UNSPECIFIED);
  EXPECT_EQ(swarm_.peer(1).parameters, after);
  EXPECT_EQ(after[4], 50.0f);
}

TEST_F(RoundFaultsTest, OtherRoundsAndEpochsAreRefused) {
  swarm_.StartAll();
  Frame frame = Reduce(2, 0);
  frame.header.set_epoch(6);
  EXPECT_EQ(ReasonFor(1, frame), v1::REFUSAL_REASON_WRONG_EPOCH);
  frame.header.set_epoch(7);
  frame.header.set_round(4);
  EXPECT_EQ(ReasonFor(1, frame), v1::REFUSAL_REASON_UNKNOWN_ROUND);
  frame = Average(2, 1, {1, 2});
  frame.header.set_epoch(6);
  EXPECT_EQ(ReasonFor(1, frame), v1::REFUSAL_REASON_WRONG_EPOCH);
}

TEST_F(RoundFaultsTest, AnotherGeometryIsRefused) {
  swarm_.StartAll();
  for (auto spoil : std::vector<std::function<void(Frame&)>>{
           [](Frame& frame) { frame.header.set_shard(6); },
           [](Frame& frame) { frame.header.set_shard_count(7); },
           [](Frame& frame) { frame.header.set_offset(1); },
           [](Frame& frame) { frame.header.set_elements(3); },
           [](Frame& frame) { frame.payload = frame.payload.Slice(0, 12); }}) {
    Frame frame = Reduce(2, 0);
    spoil(frame);
    EXPECT_EQ(ReasonFor(1, frame), v1::REFUSAL_REASON_WRONG_LENGTH);
    frame = Average(2, 1, {1, 2});
    spoil(frame);
    EXPECT_EQ(ReasonFor(1, frame), v1::REFUSAL_REASON_WRONG_LENGTH);
  }
}

TEST_F(RoundFaultsTest, ImpossibleContributionsAreRefusedAndDoNotCount) {
  swarm_.StartAll();
  EXPECT_EQ(ReasonFor(1, Reduce(9, 0)), v1::REFUSAL_REASON_BAD_REQUEST);  // no participant
  EXPECT_EQ(ReasonFor(1, Reduce(1, 0)), v1::REFUSAL_REASON_BAD_REQUEST);  // itself
  EXPECT_EQ(ReasonFor(1, Reduce(2, 2)), v1::REFUSAL_REASON_BAD_REQUEST);  // not its shard
  for (const double weight : {-1.0, 1e10, 1e-10, std::numeric_limits<double>::infinity(),
                              std::numeric_limits<double>::quiet_NaN()}) {
    Frame frame = Reduce(2, 0);
    frame.header.set_weight(weight);
    EXPECT_EQ(ReasonFor(1, frame), v1::REFUSAL_REASON_BAD_REQUEST) << weight;
  }
  swarm_.Settle();
  ExpectAllAveraged();
}

TEST_F(RoundFaultsTest, TheDeadlineEndsTheRound) {
  swarm_.Start(1);
  swarm_.copies = [](const auto&) { return 0; };
  swarm_.RunUntil(swarm_.begin + absl::Seconds(10));
  EXPECT_TRUE(round(1).over());
  EXPECT_EQ(round(1).missed(), 6u);
  EXPECT_EQ(round(1).NextWake(), absl::InfiniteFuture());
  EXPECT_EQ(swarm_.peer(1).parameters, before_[1]);
  EXPECT_EQ(ReasonFor(1, Reduce(2, 0)), v1::REFUSAL_REASON_UNKNOWN_ROUND);
  EXPECT_EQ(ReasonFor(1, Average(2, 1, {1, 2})), v1::REFUSAL_REASON_UNKNOWN_ROUND);
}

TEST_F(RoundFaultsTest, AFrameAfterTheDeadlineIsTooLateEvenIfTheTimerIsLater) {
  swarm_.StartAll();
  swarm_.now += absl::Seconds(10);
  swarm_.Settle();
  for (const uint64_t id : {1, 2, 3}) EXPECT_EQ(swarm_.peer(id).parameters, before_[id]);
}

}  // namespace
}  // namespace starling
