#include "peer/gossip/peer_selector.h"

#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "gtest/gtest.h"
#include "peer/topology/exponential.h"
#include "peer/topology/ring.h"

namespace starling {
namespace {

Candidate Worker(uint64_t id, double loss = 0) { return {PeerId(id), false, loss}; }
Candidate Centre(uint64_t id) { return {PeerId(id), true, 0}; }

using Others = std::vector<Candidate>;

absl::optional<Choice> Select(const PeerSelector& selector, const Others& others, Candidate self,
                              uint64_t round = 0) {
  Random random(1);
  return selector.Select({others, self, round}, random);
}

std::map<PeerId, int> Frequencies(const PeerSelector& selector, const Others& others,
                                  Candidate self, int draws) {
  Random random(11);
  std::map<PeerId, int> chosen;
  for (int i = 0; i < draws; ++i) ++chosen[selector.Select({others, self, 0}, random)->peer];
  return chosen;
}

TEST(UniformSelectorTest, NobodyIsChosenFromNobody) {
  EXPECT_FALSE(Select(*MakeUniformSelector(), {}, Worker(1)).has_value());
  EXPECT_FALSE(Select(*MakeUniformSelector(), {Centre(2)}, Worker(1)).has_value());
}

TEST(UniformSelectorTest, EveryWorkerIsChosenEquallyOftenAndNobodyElse) {
  const Others others = {Worker(2), Worker(3), Centre(4), Worker(5), Worker(8), Worker(9)};
  const auto chosen = Frequencies(*MakeUniformSelector(), others, Worker(1), 50000);
  ASSERT_EQ(chosen.size(), 5);
  for (const auto& [peer, count] : chosen) {
    EXPECT_NE(peer, PeerId(4));
    // 10000 expected, standard deviation 89.
    EXPECT_NEAR(count, 10000, 450) << peer.ToString();
  }
}

TEST(UniformSelectorTest, TheSeedDecides) {
  const Others others = {Worker(2), Worker(3), Worker(5)};
  const auto selector = MakeUniformSelector();
  Random one(4);
  Random same(4);
  Random other(5);
  int different = 0;
  for (int i = 0; i < 200; ++i) {
    const Choice choice = *selector->Select({others, Worker(1), 0}, one);
    EXPECT_EQ(choice, *selector->Select({others, Worker(1), 0}, same));
    different += choice != *selector->Select({others, Worker(1), 0}, other) ? 1 : 0;
  }
  EXPECT_GT(different, 0);
}

TEST(DistanceSelectorTest, WithoutAPenaltyEverybodyIsEquallyLikely) {
  const Others others = {Worker(2), Worker(3), Worker(5), Worker(7)};
  const auto chosen = Frequencies(*MakeDistanceSelector(0, 3), others, Worker(1), 40000);
  for (const auto& [peer, count] : chosen) EXPECT_NEAR(count, 10000, 450) << peer.ToString();
}

// Three points in a square: their distances give all ratios away, whoever asks.
TEST(DistanceSelectorTest, ThePenaltyIsTheExponentOfTheDistance) {
  const Others others = {Worker(2), Worker(3)};
  auto odds = [&](double penalty) {
    auto chosen = Frequencies(*MakeDistanceSelector(penalty, 3), others, Worker(1), 200000);
    return std::log(static_cast<double>(chosen[PeerId(2)]) / chosen[PeerId(3)]);
  };
  const double one = odds(1);
  EXPECT_GT(std::abs(one), 0.1);
  EXPECT_NEAR(odds(2), 2 * one, 0.05);
  EXPECT_NEAR(odds(0.5), 0.5 * one, 0.05);
}

TEST(DistanceSelectorTest, AnEnormousPenaltyMeansTheNearest) {
  Others others;
  for (uint64_t id = 2; id < 30; ++id) others.push_back(Worker(id));
  EXPECT_EQ(Frequencies(*MakeDistanceSelector(1e6, 3), others, Worker(1), 1000).size(), 1);
}

// In a plane nobody is the nearest of more than six, but the farthest of nearly all lie in the
// corners.
TEST(DistanceSelectorTest, TheNearAreLikelierAndNotTheFar) {
  std::map<PeerId, int> chosen;
  for (uint64_t self = 1; self <= 40; ++self) {
    Others others;
    for (uint64_t id = 1; id <= 40; ++id) {
      if (id != self) others.push_back(Worker(id));
    }
    ++chosen[Select(*MakeDistanceSelector(1e6, 3), others, Worker(self))->peer];
  }
  for (const auto& [peer, count] : chosen) EXPECT_LE(count, 6) << peer.ToString();
}

TEST(DistanceSelectorTest, TheSeedDrawsThePlaces) {
  Others others;
  for (uint64_t id = 2; id < 30; ++id) others.push_back(Worker(id));
  std::map<PeerId, int> nearest;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    ++nearest[Select(*MakeDistanceSelector(1e6, seed), others, Worker(1))->peer];
  }
  EXPECT_GT(nearest.size(), 5);
}

TEST(DistanceSelectorTest, NobodyIsChosenFromNobody) {
  EXPECT_FALSE(Select(*MakeDistanceSelector(1, 3), {Centre(2)}, Worker(1)).has_value());
}

TEST(CentreSelectorTest, TheCentreOfLowestIdIsChosen) {
  const Others others = {Worker(2), Centre(5), Centre(7)};
  EXPECT_EQ(Select(*MakeCentreSelector(), others, Worker(1))->peer, PeerId(5));
}

TEST(CentreSelectorTest, WithoutACentreTheWorkersExchangeAmongThemselves) {
  const auto chosen =
      Frequencies(*MakeCentreSelector(), {Worker(2), Worker(3)}, Worker(1), 20000);
  EXPECT_NEAR(chosen.at(PeerId(2)), 10000, 450);
}

TEST(CentreSelectorTest, TheCentreAsksNobody) {
  EXPECT_FALSE(Select(*MakeCentreSelector(), {Worker(2), Centre(5)}, Centre(1)).has_value());
}

TEST(LeaderSelectorTest, TheLowestLossLeads) {
  const Others others = {Worker(2, 0.5), Worker(3, 0.25), Worker(5, 0.75)};
  EXPECT_EQ(*Select(*MakeLeaderSelector(1, 4), others, Worker(1, 0.6)), (Choice{PeerId(3), 0}));
}

TEST(LeaderSelectorTest, TheLeaderItselfAsksNobody) {
  const Others others = {Worker(2, 0.5), Worker(3, 0.25)};
  EXPECT_FALSE(Select(*MakeLeaderSelector(1, 1), others, Worker(1, 0.125)).has_value());
}

TEST(LeaderSelectorTest, ALossThatIsNoNumberOrNotKnownNeverLeads) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const Others others = {Worker(2, nan), Worker(3, -infinity), Worker(4, 0), Worker(5, 9)};
  EXPECT_EQ(Select(*MakeLeaderSelector(1, 1), others, Worker(1, 10))->peer, PeerId(5));
  EXPECT_EQ(Select(*MakeLeaderSelector(1, 1), others, Worker(1, nan))->peer, PeerId(5));
  const Others unknown = {Worker(2), Worker(3, nan)};
  EXPECT_FALSE(Select(*MakeLeaderSelector(1, 1), unknown, Worker(1)).has_value());
}

TEST(LeaderSelectorTest, TiesGoToTheLowestId) {
  const Others others = {Worker(2, 0.5), Worker(4, 0.5)};
  EXPECT_EQ(Select(*MakeLeaderSelector(1, 1), others, Worker(3, 0.5))->peer, PeerId(2));
  EXPECT_FALSE(Select(*MakeLeaderSelector(1, 1), others, Worker(1, 0.5)).has_value());
}

// Ranks 0..5; groups of equal rank modulo 2: {1, 3, 5} and {2, 4, 6}.
TEST(LeaderSelectorTest, EveryFourthTimeTheLeaderOfAllAndElseTheLeaderOfTheGroup) {
  const Others others = {Worker(2, 0.1), Worker(3, 0.5), Worker(4, 0.2), Worker(5, 0.3),
                         Worker(6, 0.2)};
  const auto selector = MakeLeaderSelector(2, 4);
  for (uint64_t round = 0; round < 12; ++round) {
    const auto choice = Select(*selector, others, Worker(1, 0.4), round);
    const bool global = round % 4 == 3;
    EXPECT_EQ(*choice, (global ? Choice{PeerId(2), 0} : Choice{PeerId(5), 1})) << round;
  }
}

TEST(LeaderSelectorTest, EveryGroupHasALeaderOfItsOwn) {
  const Others others = {Worker(1, 0.1), Worker(3, 0.2), Worker(4, 0.3), Worker(5, 0.2)};
  EXPECT_EQ(*Select(*MakeLeaderSelector(2, 9), others, Worker(2, 0.5)), (Choice{PeerId(4), 1}));
}

TEST(LeaderSelectorTest, TheCentreIsInNoGroup) {
  const Others others = {Worker(2, 0.5), Centre(3), Worker(4, 0.2)};
  // Ranks 0, 1, 2 for 1, 2, 4.
  EXPECT_EQ(Select(*MakeLeaderSelector(2, 9), others, Worker(1, 0.4))->peer, PeerId(4));
  EXPECT_FALSE(Select(*MakeLeaderSelector(2, 9), others, Centre(9)).has_value());
}

TEST(TopologySelectorTest, TheOutNeighbourOfTheRoundIsChosen) {
  const Others others = {Worker(10), Worker(20), Centre(25), Worker(40)};
  const auto selector = MakeTopologySelector(MakeOnePeerExponential(), 1);
  // Ranks of 10, 20, 30, 40: to the next, then to the next but one.
  EXPECT_EQ(Select(*selector, others, Worker(30), 0)->peer, PeerId(40));
  EXPECT_EQ(Select(*selector, others, Worker(30), 1)->peer, PeerId(10));
  EXPECT_EQ(Select(*selector, others, Worker(30), 2)->peer, PeerId(40));
  EXPECT_FALSE(Select(*selector, others, Centre(30), 0).has_value());
  EXPECT_FALSE(Select(*selector, {}, Worker(30), 0).has_value());
}

TEST(TopologySelectorTest, OfSeveralNeighboursOneIsDrawn) {
  const Others others = {Worker(1), Worker(2), Worker(3), Worker(4)};
  const auto chosen =
      Frequencies(*MakeTopologySelector(MakeRing(), 1), others, Worker(5), 20000);
  ASSERT_EQ(chosen.size(), 2);
  EXPECT_NEAR(chosen.at(PeerId(4)), 10000, 450);
  EXPECT_NEAR(chosen.at(PeerId(1)), 10000, 450);
}

}  // namespace
}  // namespace starling
