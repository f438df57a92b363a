// The parts that membership is made of.

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "peer/membership/local_health.h"
#include "peer/membership/options.h"
#include "peer/membership/probe_ring.h"
#include "peer/membership/round_trips.h"
#include "peer/membership/rumours.h"
#include "peer/membership/suspicion.h"

namespace starling {
namespace {

const absl::Time kNow = absl::UnixEpoch() + absl::Hours(1);

TEST(SuspicionTest, RespiteFollowsTheFormula) {
  const MembershipOptions options = MembershipOptions::Lan();  // mu = 4, T = 1 s: K = 2
  EXPECT_EQ(options.SuspicionMin(3), absl::Seconds(4));
  EXPECT_EQ(options.SuspicionMin(100), absl::Seconds(8));
  EXPECT_EQ(options.SuspicionMax(10), absl::Seconds(24));
  EXPECT_EQ(options.Confirmations(3), 0) << "nobody is there who could confirm twice";
  EXPECT_EQ(options.Confirmations(4), 2);

  Suspicion suspicion(options, 10, kNow);
  EXPECT_TRUE(suspicion.Accuse(PeerId(1)));
  EXPECT_EQ(suspicion.deadline() - kNow, absl::Seconds(24));
  EXPECT_FALSE(suspicion.Accuse(PeerId(1))) << "not independent";
  EXPECT_TRUE(suspicion.Accuse(PeerId(2)));
  EXPECT_NEAR(absl::ToDoubleSeconds(suspicion.deadline() - kNow), 11.38, 0.01);  // 24 - 20 log 2 / log 3
  EXPECT_TRUE(suspicion.Accuse(PeerId(3)));
  EXPECT_EQ(suspicion.deadline() - kNow, absl::Seconds(4));
  EXPECT_FALSE(suspicion.Accuse(PeerId(4))) << "nothing is left to shorten";
  EXPECT_EQ(suspicion.accusers().size(), 3);
  suspicion.Shift(absl::Seconds(10));
  EXPECT_EQ(suspicion.deadline() - kNow, absl::Seconds(14));
}

TEST(SuspicionTest, WithNobodyToConfirmItIsShortFromTheStart) {
  Suspicion suspicion(MembershipOptions::Lan(), 3, kNow);
  EXPECT_TRUE(suspicion.Accuse(PeerId(1)));
  EXPECT_EQ(suspicion.deadline() - kNow, absl::Seconds(4));
}

TEST(LocalHealthTest, StaysWithinItsBoundsAndScales) {
  LocalHealth health(8);
  health.Better();
  EXPECT_EQ(health.Scale(absl::Seconds(1)), absl::Seconds(1));
  health.Worse(3);
  EXPECT_EQ(health.Scale(absl::Seconds(1)), absl::Seconds(4));
  health.Worse(100);
  EXPECT_EQ(health.score(), 8);
  health.Better();
  EXPECT_EQ(health.score(), 7);
}

TEST(RoundTripsTest, PercentileIgnoresTheRareAndForgetsTheOld) {
  RoundTrips trips;
  EXPECT_EQ(trips.percentile99(), absl::ZeroDuration());
  trips.Add(absl::Milliseconds(2));
  EXPECT_EQ(trips.percentile99(), absl::Milliseconds(2));
  for (int i = 0; i < 254; ++i) trips.Add(absl::Milliseconds(2));
  trips.Add(absl::Seconds(9));
  EXPECT_EQ(trips.count(), RoundTrips::kKept);
  EXPECT_EQ(trips.percentile99(), absl::Milliseconds(2)) << "one in 256";
  for (int i = 0; i < 256; ++i) trips.Add(absl::Milliseconds(i % 10 == 0 ? 30 : 5));
  EXPECT_EQ(trips.percentile99(), absl::Milliseconds(30));
  for (int i = 0; i < 256; ++i) trips.Add(absl::Milliseconds(1));
  EXPECT_EQ(trips.percentile99(), absl::Milliseconds(1));
}

TEST(ProbeRingTest, EachHasItsTurnInEachRoundInOrdersThatDiffer) {
  ProbeRing ring(Random(3));
  for (uint64_t id = 1; id <= 10; ++id) ring.Insert(PeerId(id));
  const auto anyone = [](PeerId) { return true; };
  std::set<std::vector<PeerId>> orders;
  for (int i = 0; i < 10; ++i) ring.Next(anyone);  // into step with the rounds
  for (int round = 0; round < 20; ++round) {
    std::vector<PeerId> order;
    for (int i = 0; i < 10; ++i) order.push_back(ring.Next(anyone));
    EXPECT_EQ(std::set<PeerId>(order.begin(), order.end()).size(), 10);
    orders.insert(order);
  }
  EXPECT_GE(orders.size(), 15);
}

TEST(ProbeRingTest, NewcomersAndTheRemovedDoNotDisturbTheTurnsOfOthers) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    ProbeRing ring{Random(seed)};
    for (uint64_t id = 1; id <= 6; ++id) ring.Insert(PeerId(id));
    const auto anyone = [](PeerId) { return true; };
    std::map<PeerId, int> turns;
    for (int i = 0; i < 3; ++i) ++turns[ring.Next(anyone)];
    ring.Insert(PeerId(7));
    ring.Remove(turns.begin()->first);
    while (ring.size() > 0 && turns.size() < 6) {
      const PeerId next = ring.Next(anyone);
      const int turn = ++turns[next];
      if (next != PeerId(7)) {
        ASSERT_EQ(turn, 1) << seed;
      }
      if (next == PeerId(7) && turns.size() == 6) break;
    }
  }
}

TEST(ProbeRingTest, TheIneligibleArePassedOver) {
  ProbeRing ring(Random(3));
  EXPECT_TRUE(ring.Next([](PeerId) { return true; }).empty());
  for (uint64_t id = 1; id <= 4; ++id) ring.Insert(PeerId(id));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(ring.Next([](PeerId id) { return id == PeerId(3); }), PeerId(3));
  }
  EXPECT_TRUE(ring.Next([](PeerId) { return false; }).empty());
}

TEST(RumoursTest, LeastToldGoFirstAndEachIsToldSoManyTimes) {
  Rumours rumours;
  EXPECT_FALSE(rumours.fresh());
  rumours.Add(PeerId(1));
  EXPECT_EQ(rumours.Tell(PeerId(9), 1, 3), std::vector<PeerId>{PeerId(1)});
  EXPECT_FALSE(rumours.fresh());
  rumours.Add(PeerId(2));
  rumours.Add(PeerId(3));
  EXPECT_TRUE(rumours.fresh());
  EXPECT_EQ(rumours.Tell(PeerId(9), 2, 3), (std::vector<PeerId>{PeerId(3), PeerId(2)}));
  EXPECT_EQ(rumours.Tell(PeerId(9), 9, 3), (std::vector<PeerId>{PeerId(3), PeerId(2), PeerId(1)}));
  EXPECT_EQ(rumours.Tell(PeerId(9), 9, 3).size(), 3);
  EXPECT_EQ(rumours.size(), 0);
}

TEST(RumoursTest, NewerNewsReplacesOlderAndNobodyIsToldOfItself) {
  Rumours rumours;
  rumours.Add(PeerId(1));
  rumours.Tell(PeerId(9), 9, 3);
  rumours.Tell(PeerId(9), 9, 3);
  rumours.Add(PeerId(1));
  EXPECT_EQ(rumours.size(), 1);
  EXPECT_TRUE(rumours.Tell(PeerId(1), 9, 3).empty());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(rumours.Tell(PeerId(9), 9, 3).size(), 1);
  EXPECT_EQ(rumours.size(), 0);
}

TEST(RumoursTest, RetransmissionsGrowWithTheLogarithmAboveAFloor) {
  EXPECT_EQ(Rumours::Retransmissions(2), 8);
  EXPECT_EQ(Rumours::Retransmissions(64), 8);
  EXPECT_EQ(Rumours::Retransmissions(500), 12);
}

}  // namespace
}  // namespace starling
