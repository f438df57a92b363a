#include "peer/rounds/neighbour_round.h"

#include <limits>

#include "gtest/gtest.h"
#include "tests/peer/rounds/round_network.h"

namespace starling {
namespace {

using Values = std::vector<float>;
using Links = NeighbourRound::Links;

// Six numbers in shards of 4 and 2.
const ShardMap kShards{6, 4};

struct Swarm : public RoundNetwork {
  // Peer i brings i everywhere.
  void Join(uint64_t id, std::vector<Links> links, bool moves_mass = false, double mass = 1) {
    RoundInput input;
    input.values = Bytes(Values(kShards.elements, static_cast<float>(id)));
    input.shards = kShards;
    input.mass = mass;
    input.loss = 0.5;
    if (links.size() == 1) links.push_back(links.front());
    Add(id, std::make_unique<NeighbourRound>(std::move(links), std::move(input), moves_mass, kTimes,
                                             &buffers));
  }
  // 1, 2 and 3 on a ring, all weights a third.
  void JoinRing() {
    for (uint64_t id = 1; id <= 3; ++id) {
      Links links;
      for (uint64_t other = 1; other <= 3; ++other) {
        if (other == id) continue;
        links.in[PeerId(other)] = 1.0 / 3;
        links.out.push_back(PeerId(other));
      }
      Join(id, {links});
    }
  }
  Values MixOf(uint64_t id) { return Floats(round(id).TakeResult().mixed); }
};

Links From(uint64_t id, double weight, std::initializer_list<uint64_t> out = {}) {
  Links links;
  links.in[PeerId(id)] = weight;
  links.out = Peers(out);
  return links;
}

TEST(NeighbourRoundTest, EachMixesWhatItsNeighboursSend) {
  Swarm swarm;
  swarm.JoinRing();
  swarm.BeginAll();
  swarm.Settle();
  ASSERT_TRUE(swarm.AllEnded());
  for (auto& [id, round] : swarm.rounds) {
    const RoundResult result = round->TakeResult();
    for (const float value : Floats(result.mixed)) EXPECT_NEAR(value, 2, 1e-6);
    EXPECT_EQ(result.missed, 0);
    EXPECT_EQ(result.mass, 1);
    EXPECT_EQ(result.loss, 0.5);
    EXPECT_EQ(round->NextWake(), absl::InfiniteFuture());
  }
}

TEST(NeighbourRoundTest, ShardsMayHaveDifferentNeighbours) {
  Swarm swarm;
  swarm.Join(1, {From(2, 0.5), From(3, 0.25)});
  swarm.Join(2, {Links{{}, Peers({1})}, Links()});
  swarm.Join(3, {Links(), Links{{}, Peers({1})}});
  swarm.BeginAll();
  swarm.Settle();
  ASSERT_TRUE(swarm.AllEnded());
  EXPECT_EQ(swarm.MixOf(1), (Values{1.5, 1.5, 1.5, 1.5, 1.5, 1.5}));
  EXPECT_EQ(swarm.MixOf(2), Values(kShards.elements, 2));
}

TEST(NeighbourRoundTest, WhoHasNobodyEndsAtOnceAndIsStillThereForTheOthers) {
  Swarm swarm;
  swarm.Join(1, {Links()});
  swarm.Join(2, {From(1, 0.5)});  // its view makes 1 a neighbour, 1's does not
  swarm.BeginAll();
  EXPECT_TRUE(swarm.round(1).ended());
  EXPECT_EQ(swarm.MixOf(1), Values(kShards.elements, 1));
  swarm.Settle();
  EXPECT_FALSE(swarm.round(2).ended());
  // What has not come is asked for, and given to whoever asks.
  swarm.RunFor(absl::Seconds(1));
  ASSERT_TRUE(swarm.round(2).ended());
  EXPECT_EQ(swarm.MixOf(2), Values(kShards.elements, 1.5f));
}

TEST(NeighbourRoundTest, WhatTheNetworkLosesIsAskedForAgain) {
  Swarm swarm;
  swarm.JoinRing();
  int count = 0;
  swarm.lost = [&](const RoundNetwork::Message&) { return ++count % 3 == 0; };
  swarm.BeginAll();
  swarm.RunFor(absl::Seconds(7));
  ASSERT_TRUE(swarm.AllEnded());
  for (auto& [id, round] : swarm.rounds) EXPECT_EQ(round->TakeResult().missed, 0);
}

TEST(NeighbourRoundTest, WhatComesTwiceCountsOnce) {
  Swarm swarm;
  swarm.JoinRing();
  swarm.twice = true;
  swarm.BeginAll();
  swarm.Settle();
  ASSERT_TRUE(swarm.AllEnded());
  EXPECT_EQ(swarm.refused, 0);
  for (const float value : swarm.MixOf(1)) EXPECT_NEAR(value, 2, 1e-6);
}

TEST(NeighbourRoundTest, OwnValuesTakeTheWeightOfAnAbsentNeighbour) {
  for (const int way : {0, 1, 2}) {
    Swarm swarm;
    swarm.JoinRing();
    swarm.lost = [](const RoundNetwork::Message& message) { return message.from == PeerId(3); };
    swarm.Begin(1);
    swarm.Begin(2);
    swarm.Settle();
    EXPECT_FALSE(swarm.round(1).ended());
    if (way == 0) swarm.Post(PeerId(1), swarm.round(1).OnAbsent(swarm.now, PeerId(3)));
    if (way == 1) swarm.Post(PeerId(1), swarm.round(1).OnMembers(swarm.now, Peers({1, 2})));
    if (way == 2) swarm.RunFor(RoundNetwork::kTimes.deadline);
    ASSERT_TRUE(swarm.round(1).ended()) << way;
    const RoundResult result = swarm.round(1).TakeResult();
    EXPECT_EQ(result.missed, 2);  // both shards
    // 1 + (2 - 1) / 3
    for (const float value : Floats(result.mixed)) EXPECT_NEAR(value, 4.0 / 3, 1e-6);
  }
}

TEST(NeighbourRoundTest, TheDeadlineEndsEverything) {
  Swarm swarm;
  swarm.JoinRing();
  swarm.lost = [](const RoundNetwork::Message&) { return true; };
  swarm.BeginAll();
  swarm.RunFor(RoundNetwork::kTimes.deadline - absl::Milliseconds(1));
  EXPECT_FALSE(swarm.round(1).ended());
  swarm.RunFor(absl::Milliseconds(1));
  ASSERT_TRUE(swarm.AllEnded());
  EXPECT_EQ(swarm.MixOf(2), Values(kShards.elements, 2));
}

TEST(NeighbourRoundTest, AfterItsEndARoundStillAnswersThoseWhoAreBehind) {
  Swarm swarm;
  swarm.Join(1, {From(2, 0.5, {2})});
  swarm.Join(2, {From(1, 0.5, {1})});
  swarm.Begin(1);
  swarm.underway.clear();  // what 1 sends is lost
  swarm.Begin(2);
  swarm.Settle();
  ASSERT_TRUE(swarm.round(1).ended());
  swarm.MixOf(1);
  swarm.RunFor(absl::Seconds(1));
  ASSERT_TRUE(swarm.round(2).ended());
  EXPECT_EQ(swarm.MixOf(2), Values(kShards.elements, 1.5f));
}

// Push-sum: 1 sends to 2 and 3, they to nobody.
void JoinStar(Swarm& swarm) {
  Links centre;
  centre.out = Peers({2, 3});
  swarm.Join(1, {centre}, true, 3);
  swarm.Join(2, {From(1, 0.5)}, true, 1);
  swarm.Join(3, {From(1, 0.5)}, true, 2);
}

TEST(NeighbourRoundTest, MassIsSharedOutEvenlyAndTheWeightedSumStays) {
  Swarm swarm;
  JoinStar(swarm);
  swarm.BeginAll();
  swarm.Settle();
  ASSERT_TRUE(swarm.AllEnded());
  double mass = 0;
  double weighted = 0;
  const double masses[] = {1, 2, 3};
  for (auto& [id, round] : swarm.rounds) {
    const RoundResult result = round->TakeResult();
    EXPECT_EQ(result.mass, masses[id.value() - 1]);
    mass += result.mass;
    weighted += result.mass * static_cast<double>(Floats(result.mixed)[5]);
  }
  EXPECT_EQ(mass, 6);
  EXPECT_NEAR(weighted, 3 * 1 + 1 * 2 + 2 * 3, 1e-5);
}

TEST(NeighbourRoundTest, ForANeighbourThatIsAbsentTheOwnShareIsTakenBack) {
  Swarm swarm;
  swarm.Join(1, {From(2, 0.5, {2})}, true, 1);
  swarm.Begin(1);
  swarm.round(1).OnAbsent(swarm.now, PeerId(2));
  const RoundResult result = swarm.round(1).TakeResult();
  EXPECT_EQ(result.mass, 1);
  EXPECT_EQ(Floats(result.mixed), Values(kShards.elements, 1));
}

TEST(NeighbourRoundTest, ValuesWithoutAPositiveMassAreRefusedWherePushSumRuns) {
  for (const double mass : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(),
                            std::numeric_limits<double>::infinity()}) {
    Swarm swarm;
    swarm.Join(1, {From(2, 0.5, {2})}, true, 1);
    swarm.Begin(1);
    Round::Send send;
    send.kind = v1::FRAME_KIND_NEIGHBOUR_VALUES;
    send.values = Bytes({9, 9, 9, 9});
    send.mass = mass;
    const auto fault = swarm.Deliver({PeerId(2), PeerId(1), send});
    ASSERT_TRUE(fault.has_value());
    EXPECT_EQ(fault->reason, v1::REFUSAL_REASON_BAD_REQUEST);
    swarm.round(1).OnAbsent(swarm.now, PeerId(2));
    EXPECT_EQ(swarm.MixOf(1), Values(kShards.elements, 1));
  }
}

TEST(NeighbourRoundTest, ValuesFarBeyondTheOwnAreRefusedAndNotWaitedFor) {
  Swarm swarm;
  swarm.Join(1, {From(2, 0.5)});
  swarm.Begin(1);
  for (uint32_t shard = 0; shard < kShards.count(); ++shard) {
    Round::Send send;
    send.kind = v1::FRAME_KIND_NEIGHBOUR_VALUES;
    send.shard = shard;
    send.values = Bytes(Values(kShards.length(shard), 1e6f));
    EXPECT_EQ(swarm.Deliver({PeerId(2), PeerId(1), send})->reason, v1::REFUSAL_REASON_OUT_OF_SCALE);
  }
  ASSERT_TRUE(swarm.round(1).ended());
  EXPECT_EQ(swarm.MixOf(1), Values(kShards.elements, 1));
}

TEST(NeighbourRoundTest, WhoIsNoNeighbourIsRefusedAndChangesNothing) {
  Swarm swarm;
  swarm.Join(1, {From(2, 0.5, {2})});
  swarm.Begin(1);
  Round::Send send;
  send.kind = v1::FRAME_KIND_NEIGHBOUR_VALUES;
  send.values = Bytes({9, 9, 9, 9});
  EXPECT_EQ(swarm.Deliver({PeerId(3), PeerId(1), send})->reason, v1::REFUSAL_REASON_BAD_REQUEST);
  send.kind = v1::FRAME_KIND_REDUCE;
  EXPECT_EQ(swarm.Deliver({PeerId(2), PeerId(1), send})->reason, v1::REFUSAL_REASON_WRONG_LENGTH);
  EXPECT_FALSE(swarm.round(1).ended());
}

TEST(NeighbourRoundTest, AGeometryThatIsNotItsOwnIsRefused) {
  Swarm swarm;
  swarm.Join(1, {From(2, 0.5, {2})});
  swarm.Begin(1);
  Round::Send send;
  send.kind = v1::FRAME_KIND_NEIGHBOUR_VALUES;
  send.values = Bytes({9, 9, 9, 9});
  const v1::ShardHeader good = swarm.HeaderOf({PeerId(2), PeerId(1), send});
  auto reason = [&](auto spoil, const SharedBytes& payload) {
    v1::ShardHeader bad = good;
    spoil(bad);
    const auto fault = swarm.round(1).OnFrame(swarm.now, bad, payload).fault;
    return fault ? fault->reason : v1::REFUSAL_REASON_UNSPECIFIED;
  };
  const auto wrong = v1::REFUSAL_REASON_WRONG_LENGTH;
  EXPECT_EQ(reason([](v1::ShardHeader& h) { h.set_shard(2); }, send.values), wrong);
  EXPECT_EQ(reason([](v1::ShardHeader& h) { h.set_elements(3); }, send.values), wrong);
  EXPECT_EQ(reason([](v1::ShardHeader& h) { h.set_shard_count(1); }, send.values), wrong);
  EXPECT_EQ(reason([](v1::ShardHeader&) {}, SharedBytes()), wrong);
  v1::ShardHeader ask = good;
  ask.set_kind(v1::FRAME_KIND_NEIGHBOUR_ASK);
  EXPECT_EQ(swarm.round(1).OnFrame(swarm.now, ask, send.values).fault->reason, wrong);
  EXPECT_FALSE(swarm.round(1).ended());
}

}  // namespace
}  // namespace starling
