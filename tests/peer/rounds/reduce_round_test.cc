#include "peer/rounds/reduce_round.h"

#include <set>

#include "gtest/gtest.h"
#include "tests/peer/rounds/round_network.h"

namespace starling {
namespace {

using Values = std::vector<float>;

// Ten numbers in shards of 4, 4 and 2.
const ShardMap kShards{10, 4};

// A round in which 1, 2 and 3 own a shard each, and so do 1 and 2 among themselves.
uint64_t FindRound() {
  for (uint64_t round = 0;; ++round) {
    std::set<PeerId> of_three;
    std::set<PeerId> of_two;
    for (uint32_t shard = 0; shard < kShards.count(); ++shard) {
      of_three.insert(ReduceRound::OwnerOf(Peers({1, 2, 3}), round, shard));
      of_two.insert(ReduceRound::OwnerOf(Peers({1, 2}), round, shard));
    }
    if (of_three.size() == 3 && of_two.size() == 2) return round;
  }
}
const uint64_t kRound = FindRound();

struct Swarm : public RoundNetwork {
  explicit Swarm(std::initializer_list<uint64_t> ids) : members(Peers(ids)) {
    for (const uint64_t id : ids) Join(id, members);
  }
  // Peer i brings ten times i, and the loss i.
  void Join(uint64_t id, const std::vector<PeerId>& view) {
    RoundInput input;
    input.values = Bytes(Values(kShards.elements, static_cast<float>(id)));
    input.shards = kShards;
    input.loss = static_cast<double>(id);
    Add(id, std::make_unique<ReduceRound>(kRound, view, PeerId(id), std::move(input), kTimes,
                                          &buffers));
  }
  PeerId OwnerOf(uint32_t shard) const { return ReduceRound::OwnerOf(members, kRound, shard); }

  const std::vector<PeerId> members;
};

TEST(ReduceRoundTest, EverybodyTakesHomeTheMeanOfTheValuesAndOfTheLosses) {
  Swarm swarm({1, 2, 3, 6});
  swarm.BeginAll();
  swarm.Settle();
  ASSERT_TRUE(swarm.AllEnded());
  for (auto& [id, round] : swarm.rounds) {
    const RoundResult result = round->TakeResult();
    EXPECT_EQ(Floats(result.mixed), Values(kShards.elements, 3));
    EXPECT_EQ(result.loss, 3);
    EXPECT_EQ(result.missed, 0);
    EXPECT_EQ(result.mass, 1);
  }
}

TEST(ReduceRoundTest, AMemberAloneKeepsItsValuesAtOnce) {
  Swarm swarm({3});
  swarm.BeginAll();
  EXPECT_TRUE(swarm.underway.empty());
  ASSERT_TRUE(swarm.AllEnded());
  EXPECT_EQ(Floats(swarm.round(3).TakeResult().mixed), Values(kShards.elements, 3));
  EXPECT_EQ(swarm.round(3).NextWake(), absl::InfiniteFuture());
}

TEST(ReduceRoundTest, TheWorkWandersAndMovesOnlyWithAMemberThatIsGone) {
  const std::vector<PeerId> five = Peers({1, 2, 3, 4, 5});
  const std::vector<PeerId> four = Peers({1, 2, 3, 5});
  std::set<PeerId> owners;
  for (uint64_t round = 0; round < 50; ++round) {
    const PeerId owner = ReduceRound::OwnerOf(five, round, 0);
    owners.insert(owner);
    if (owner == PeerId(4)) continue;
    EXPECT_EQ(ReduceRound::OwnerOf(four, round, 0), owner) << round;
  }
  EXPECT_EQ(owners.size(), 5);
}

TEST(ReduceRoundTest, AModelOfOneShardIsCutIntoPartsThatAreWorthAFrame) {
  RoundNetwork network;
  const auto parts_of = [&](size_t elements, size_t shard_elements) {
    RoundInput input;
    input.values = Bytes(Values(elements, 1));
    input.shards = ShardMap{elements, shard_elements};
    return ReduceRound(0, Peers({1, 2}), PeerId(1), std::move(input), RoundNetwork::kTimes,
                       &network.buffers)
        .shards()
        .count();
  };
  EXPECT_EQ(parts_of(100'000, 262'144), 16);
  EXPECT_EQ(parts_of(20'000, 262'144), 5);
  EXPECT_EQ(parts_of(4096, 262'144), 1);
  EXPECT_EQ(parts_of(100'000, 1000), 100);
}

TEST(ReduceRoundTest, WhatTheNetworkLosesIsSentAgainUntilItArrives) {
  Swarm swarm({1, 2, 3});
  int count = 0;
  swarm.lost = [&](const RoundNetwork::Message&) { return ++count % 3 == 0; };
  swarm.BeginAll();
  swarm.RunFor(absl::Seconds(6));
  ASSERT_TRUE(swarm.AllEnded());
  for (auto& [id, round] : swarm.rounds) {
    const RoundResult result = round->TakeResult();
    EXPECT_EQ(Floats(result.mixed), Values(kShards.elements, 2));
    EXPECT_EQ(result.missed, 0);
  }
}

TEST(ReduceRoundTest, WhatArrivesTwiceCountsOnce) {
  Swarm swarm({1, 2, 6});
  swarm.twice = true;
  swarm.BeginAll();
  swarm.Settle();
  ASSERT_TRUE(swarm.AllEnded());
  for (auto& [id, round] : swarm.rounds) {
    EXPECT_EQ(Floats(round->TakeResult().mixed), Values(kShards.elements, 3));
  }
  EXPECT_EQ(swarm.refused, 0);
}

TEST(ReduceRoundTest, AContributionRepeatedAfterTheOwnersOwnEndIsAnsweredWithTheSameMean) {
  Swarm swarm({1, 2});
  const PeerId owner = swarm.OwnerOf(0);
  const PeerId other = owner == PeerId(1) ? PeerId(2) : PeerId(1);
  // The mean of shard 0 gets lost once.
  int lost = 0;
  swarm.lost = [&](const RoundNetwork::Message& message) {
    return message.send.kind == v1::FRAME_KIND_AVERAGE && message.send.shard == 0 && lost++ == 0;
  };
  swarm.BeginAll();
  swarm.Settle();
  EXPECT_TRUE(swarm.rounds.at(owner)->ended());
  swarm.rounds.at(owner)->TakeResult();
  EXPECT_FALSE(swarm.rounds.at(other)->ended());
  swarm.RunFor(absl::Seconds(1));
  ASSERT_TRUE(swarm.rounds.at(other)->ended());
  EXPECT_EQ(Floats(swarm.rounds.at(other)->TakeResult().mixed), Values(kShards.elements, 1.5f));
}

TEST(ReduceRoundTest, WhatIsFarBeyondTheOwnIsLeftOutOfTheMeanAndNotWaitedFor) {
  Swarm swarm({1, 2, 1'000'000});
  swarm.BeginAll();
  swarm.Settle();
  ASSERT_TRUE(swarm.round(1).ended() && swarm.round(2).ended());
  for (const uint64_t id : {1, 2}) {
    const Values mixed = Floats(swarm.round(id).TakeResult().mixed);
    for (uint32_t shard = 0; shard < kShards.count(); ++shard) {
      const bool by_honest = swarm.OwnerOf(shard) != PeerId(1'000'000);
      EXPECT_EQ(mixed[kShards.offset(shard)], by_honest ? 1.5f : static_cast<float>(id));
    }
  }
  EXPECT_GT(swarm.refused, 0);
}

TEST(ReduceRoundTest, ASilentMemberIsLeftOutOfTheMeanBeforeTheDeadline) {
  Swarm swarm({1, 2, 3});
  // What the silent one owns is missed; the rest is the mean of the two others.
  swarm.Begin(1);
  swarm.Begin(2);
  swarm.lost = [](const RoundNetwork::Message& message) { return message.to == PeerId(3); };
  std::erase_if(swarm.underway, swarm.lost);
  swarm.RunFor(0.59 * RoundNetwork::kTimes.deadline);
  EXPECT_FALSE(swarm.round(1).ended());
  swarm.RunFor(0.42 * RoundNetwork::kTimes.deadline);
  ASSERT_TRUE(swarm.round(1).ended() && swarm.round(2).ended());
  for (const uint64_t id : {1, 2}) {
    const RoundResult result = swarm.round(id).TakeResult();
    uint32_t owned_by_silent = 0;
    for (uint32_t shard = 0; shard < kShards.count(); ++shard) {
      const bool missed = swarm.OwnerOf(shard) == PeerId(3);
      owned_by_silent += missed;
      EXPECT_EQ(Floats(result.mixed)[kShards.offset(shard)],
                missed ? static_cast<float>(id) : 1.5f);
    }
    EXPECT_EQ(result.missed, owned_by_silent);
  }
}

TEST(ReduceRoundTest, WhoIsLateIsRefusedAndKeepsItsValues) {
  Swarm swarm({1, 2});
  swarm.Begin(1);
  swarm.underway.clear();
  swarm.RunFor(RoundNetwork::kTimes.deadline);
  swarm.Begin(2);
  swarm.RunFor(absl::Seconds(11));
  ASSERT_TRUE(swarm.round(2).ended());
  EXPECT_GT(swarm.refused, 0);
  EXPECT_EQ(Floats(swarm.round(2).TakeResult().mixed), Values(kShards.elements, 2));
}

TEST(ReduceRoundTest, AMemberThatDiesIsNotWaitedForAndItsShardsFindAnotherOwner) {
  Swarm swarm({1, 2, 3});
  swarm.Begin(1);
  swarm.Begin(2);
  std::erase_if(swarm.underway,
                [](const RoundNetwork::Message& message) { return message.to == PeerId(3); });
  swarm.Settle();
  EXPECT_FALSE(swarm.round(1).ended());
  for (const uint64_t id : {1, 2}) {
    swarm.Post(PeerId(id), swarm.round(id).OnMembers(swarm.now, Peers({1, 2})));
  }
  swarm.Settle();
  ASSERT_TRUE(swarm.round(1).ended() && swarm.round(2).ended());
  for (const uint64_t id : {1, 2}) {
    const RoundResult result = swarm.round(id).TakeResult();
    EXPECT_EQ(Floats(result.mixed), Values(kShards.elements, 1.5f));
    EXPECT_EQ(result.missed, 0);
  }
}

TEST(ReduceRoundTest, ViewsThatDifferAtTheBeginningConvergeWithoutWaitingForTheDeadline) {
  Swarm swarm({1, 2});
  swarm.Join(1, Peers({1, 2, 3}));  // 3 is gone, and 2 knows it already
  swarm.BeginAll();
  swarm.RunFor(absl::Milliseconds(50));
  swarm.Post(PeerId(1), swarm.round(1).OnMembers(swarm.now, swarm.members));
  swarm.RunFor(absl::Seconds(2));
  ASSERT_TRUE(swarm.AllEnded());
  for (auto& [id, round] : swarm.rounds) {
    const RoundResult result = round->TakeResult();
    EXPECT_EQ(Floats(result.mixed), Values(kShards.elements, 1.5f));
    EXPECT_EQ(result.missed, 0);
  }
}

TEST(ReduceRoundTest, AContributionToWhoDoesNotThinkItselfTheOwnerIsNoMistake) {
  Swarm swarm({1, 2, 3});
  swarm.Join(1, Peers({1, 2}));
  swarm.Begin(1);
  for (uint32_t shard = 0; shard < kShards.count(); ++shard) {
    if (ReduceRound::OwnerOf(Peers({1, 2}), kRound, shard) == PeerId(1)) continue;
    Round::Send send;
    send.kind = v1::FRAME_KIND_REDUCE;
    send.shard = shard;
    send.values = Bytes(Values(kShards.length(shard), 3));
    EXPECT_FALSE(swarm.Deliver({PeerId(3), PeerId(1), send}).has_value());
  }
}

TEST(ReduceRoundTest, WhoIsBehindDoesNotWaitLongForWhatWillNotCome) {
  Swarm swarm({1, 2, 3});
  swarm.lost = [](const RoundNetwork::Message&) { return true; };
  swarm.Begin(1);
  // The others have gone on; what this peer owns would wait for them.
  swarm.round(1).OnBehind(swarm.now);
  swarm.round(1).OnAbsent(swarm.now, PeerId(2));
  swarm.RunFor(RoundNetwork::kTimes.retry);
  EXPECT_FALSE(swarm.round(1).ended());  // 3 may still send the mean of its shard
  swarm.round(1).OnAbsent(swarm.now, PeerId(3));
  EXPECT_TRUE(swarm.round(1).ended());
}

TEST(ReduceRoundTest, AnOwnerThatRefusesIsNotAskedAgainAndItsShardsKeepTheOwnValues) {
  Swarm swarm({1, 2});
  swarm.Begin(1);
  swarm.underway.clear();
  swarm.Post(PeerId(1), swarm.round(1).OnAbsent(swarm.now, PeerId(2)));
  EXPECT_TRUE(swarm.round(1).ended());
  EXPECT_EQ(Floats(swarm.round(1).TakeResult().mixed), Values(kShards.elements, 1));
  EXPECT_EQ(swarm.round(1).NextWake(), absl::InfiniteFuture());
}

TEST(ReduceRoundTest, ARefusalOfItsOwnIsNoReasonToLeaveItselfOut) {
  Swarm swarm({1, 2});
  swarm.Begin(1);
  swarm.Post(PeerId(1), swarm.round(1).OnAbsent(swarm.now, PeerId(1)));
  EXPECT_FALSE(swarm.round(1).ended());
}

TEST(ReduceRoundTest, TheDeadlineEndsEverything) {
  Swarm swarm({1, 2, 3, 4});
  swarm.lost = [](const RoundNetwork::Message&) { return true; };
  swarm.BeginAll();
  swarm.RunFor(RoundNetwork::kTimes.deadline - absl::Milliseconds(1));
  EXPECT_FALSE(swarm.AllEnded());
  swarm.RunFor(absl::Milliseconds(1));
  ASSERT_TRUE(swarm.AllEnded());
  for (auto& [id, round] : swarm.rounds) {
    EXPECT_EQ(round->NextWake(), absl::InfiniteFuture());
    EXPECT_EQ(Floats(round->TakeResult().mixed),
              Values(kShards.elements, static_cast<float>(id.value())));
  }
}

TEST(ReduceRoundTest, AFrameThatDoesNotFitIsRefusedAndChangesNothing) {
  Swarm swarm({1, 2});
  swarm.Begin(1);
  swarm.Begin(2);
  const std::vector<RoundNetwork::Message> messages(swarm.underway.begin(), swarm.underway.end());
  for (const RoundNetwork::Message& message : messages) {
    const v1::ShardHeader good = swarm.HeaderOf(message);
    auto refused = [&](auto spoil, SharedBytes payload) {
      v1::ShardHeader bad = good;
      spoil(bad);
      const Round::Outcome outcome =
          swarm.rounds.at(message.to)->OnFrame(swarm.now, bad, std::move(payload));
      EXPECT_TRUE(outcome.sends.empty());
      return outcome.fault ? outcome.fault->reason : v1::REFUSAL_REASON_UNSPECIFIED;
    };
    const SharedBytes payload = message.send.values;
    EXPECT_EQ(refused([](v1::ShardHeader& h) { h.set_shard(99); }, payload),
              v1::REFUSAL_REASON_WRONG_LENGTH);
    EXPECT_EQ(refused([](v1::ShardHeader& h) { h.set_shard_count(7); }, payload),
              v1::REFUSAL_REASON_WRONG_LENGTH);
    EXPECT_EQ(refused([](v1::ShardHeader& h) { h.set_offset(1); }, payload),
              v1::REFUSAL_REASON_WRONG_LENGTH);
    EXPECT_EQ(refused([](v1::ShardHeader&) {}, Bytes({1, 2, 3})), v1::REFUSAL_REASON_WRONG_LENGTH);
    EXPECT_EQ(refused([](v1::ShardHeader& h) { h.set_kind(v1::FRAME_KIND_NEIGHBOUR_VALUES); },
                      payload),
              v1::REFUSAL_REASON_BAD_REQUEST);
  }
  swarm.Settle();
  EXPECT_EQ(Floats(swarm.round(1).TakeResult().mixed), Values(kShards.elements, 1.5f));
}

TEST(ReduceRoundTest, AMeanIsTakenFromTheOwnerOnlyAndOnlyByThoseWhoAreInIt) {
  Swarm swarm({1, 2, 3});
  const uint32_t shard = 1;
  const PeerId owner = swarm.OwnerOf(shard);
  const PeerId self = owner == PeerId(1) ? PeerId(2) : PeerId(1);
  const PeerId stranger(1 + 2 + 3 - owner.value() - self.value());
  swarm.Begin(self.value());
  auto give = [&](PeerId from, std::vector<PeerId> contributors) {
    Round::Send send;
    send.to = self;
    send.kind = v1::FRAME_KIND_AVERAGE;
    send.shard = shard;
    send.values = Bytes(Values(kShards.length(shard), 77));
    send.contributors = std::make_shared<const std::vector<PeerId>>(std::move(contributors));
    return swarm.Deliver({from, self, std::move(send)});
  };
  EXPECT_TRUE(give(stranger, Peers({1, 2, 3})).has_value());
  EXPECT_TRUE(give(owner, {owner, stranger}).has_value());
  EXPECT_FALSE(give(owner, Peers({1, 2, 3})).has_value());
}

}  // namespace
}  // namespace starling
