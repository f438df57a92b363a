// The graphs that can be written down, compared with how their papers write them.

#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "peer/topology/everyone.h"
#include "peer/topology/exponential.h"
#include "peer/topology/exponential_pairs.h"
#include "peer/topology/lazy.h"
#include "peer/topology/ring.h"

namespace starling {
namespace {

constexpr size_t kNobody = static_cast<size_t>(-1);

// Whom each member receives from, one at most.
std::vector<size_t> From(const Topology& topology, size_t members, uint64_t round) {
  std::vector<size_t> from;
  for (size_t i = 0; i < members; ++i) {
    const Neighbours neighbours = topology.Of({members, i, round, 0, 1});
    EXPECT_LE(neighbours.in.size(), 1u);
    from.push_back(neighbours.in.empty() ? kNobody : neighbours.in[0].from);
    if (!neighbours.in.empty()) {
      EXPECT_EQ(neighbours.in[0].weight, 0.5);
    }
  }
  return from;
}

using Ids = std::vector<size_t>;

TEST(CompleteTest, EverybodyWeighsTheSame) {
  const Neighbours neighbours = MakeComplete()->Of({4, 2, 0, 0, 0});
  EXPECT_EQ(neighbours.in, (std::vector<Inbound>{{0, 0.25}, {1, 0.25}, {3, 0.25}}));
  EXPECT_EQ(neighbours.out, (Ids{0, 1, 3}));
  EXPECT_DOUBLE_EQ(OwnWeight(neighbours), 0.25);
}

TEST(CompleteTest, OnlyEveryoneIsDoneByAReduction) {
  EXPECT_TRUE(MakeEveryone()->everyone());
  EXPECT_FALSE(MakeComplete()->everyone());
  EXPECT_EQ(MakeEveryone()->Of({9, 3, 5, 1, 2}), MakeComplete()->Of({9, 3, 5, 1, 2}));
}

TEST(RingTest, ANeighbourWeighsAThird) {
  const Neighbours neighbours = MakeRing()->Of({5, 0, 12, 0, 0});
  EXPECT_EQ(neighbours.in, (std::vector<Inbound>{{1, 1.0 / 3}, {4, 1.0 / 3}}));
  EXPECT_EQ(neighbours.out, (Ids{1, 4}));
}

TEST(RingTest, OfTwoEachIsTheOthersOnlyNeighbour) {
  EXPECT_EQ(From(*MakeRing(), 2, 0), (Ids{1, 0}));
}

TEST(RingTest, LazilyAMemberKeepsTwoThirds) {
  const Neighbours neighbours = MakeLazy(MakeRing())->Of({5, 1, 0, 0, 0});
  EXPECT_EQ(neighbours.in, (std::vector<Inbound>{{0, 1.0 / 6}, {2, 1.0 / 6}}));
  EXPECT_NEAR(OwnWeight(neighbours), 2.0 / 3, 1e-15);
}

TEST(OnePeerRingTest, EvenAndOddPairsTakeTurns) {
  const auto ring = MakeOnePeerRing();
  EXPECT_EQ(From(*ring, 6, 0), (Ids{1, 0, 3, 2, 5, 4}));
  EXPECT_EQ(From(*ring, 6, 1), (Ids{5, 2, 1, 4, 3, 0}));
  EXPECT_EQ(From(*ring, 6, 2), From(*ring, 6, 0));
  EXPECT_EQ(From(*ring, 6, 3), From(*ring, 6, 1));
}

TEST(OnePeerRingTest, OfAnOddNumberEverybodyIdlesInTurn) {
  const auto ring = MakeOnePeerRing();
  EXPECT_EQ(From(*ring, 5, 0), (Ids{1, 0, 3, 2, kNobody}));
  EXPECT_EQ(From(*ring, 5, 1), (Ids{kNobody, 2, 1, 4, 3}));
  EXPECT_EQ(From(*ring, 5, 2), (Ids{4, kNobody, 3, 2, 0}));
}

TEST(OnePeerExponentialTest, DistancesDoubleAndStartAgain) {
  const auto graph = MakeOnePeerExponential();
  EXPECT_EQ(From(*graph, 6, 0), (Ids{5, 0, 1, 2, 3, 4}));
  EXPECT_EQ(From(*graph, 6, 1), (Ids{4, 5, 0, 1, 2, 3}));
  EXPECT_EQ(From(*graph, 6, 2), (Ids{2, 3, 4, 5, 0, 1}));
  EXPECT_EQ(From(*graph, 6, 3), From(*graph, 6, 0));
  EXPECT_EQ(graph->Of({6, 1, 1, 0, 0}).out, (Ids{3}));
}

TEST(DisseminationTest, ReceivesFromAheadAndSendsBack) {
  const auto graph = MakeDissemination();
  EXPECT_EQ(From(*graph, 6, 0), (Ids{1, 2, 3, 4, 5, 0}));
  EXPECT_EQ(From(*graph, 6, 2), (Ids{4, 5, 0, 1, 2, 3}));
  EXPECT_EQ(graph->Of({6, 1, 1, 0, 0}).out, (Ids{5}));
}

TEST(MultiPeerExponentialTest, WithOnePeerItIsTheOnePeerGraph) {
  const auto one = MakeOnePeerExponential();
  const auto multi = MakeMultiPeerExponential(1);
  for (size_t n = 1; n <= 40; ++n) {
    for (uint64_t round = 0; round < 14; ++round) {
      for (size_t i = 0; i < n; ++i) {
        ASSERT_EQ(multi->Of({n, i, round, 0, 0}), one->Of({n, i, round, 0, 0})) << n;
      }
    }
  }
}

TEST(MultiPeerExponentialTest, DistancesAreMultiplesOfPowersOfOneMore) {
  const auto graph = MakeMultiPeerExponential(2);
  EXPECT_EQ(graph->Of({9, 4, 0, 0, 0}).out, (Ids{5, 6}));
  EXPECT_EQ(graph->Of({9, 4, 1, 0, 0}).out, (Ids{1, 7}));
  EXPECT_EQ(graph->Of({9, 4, 0, 0, 0}).in, (std::vector<Inbound>{{2, 1.0 / 3}, {3, 1.0 / 3}}));
  EXPECT_EQ(graph->Of({9, 4, 2, 0, 0}), graph->Of({9, 4, 0, 0, 0}));
}

TEST(MultiPeerExponentialTest, WhatComesBackToSelfIsLeftOutAndTheRestShareAlike) {
  // Distances 3 and 6 of 6: only 3 is somebody else.
  const Neighbours neighbours = MakeMultiPeerExponential(2)->Of({6, 0, 1, 0, 0});
  EXPECT_EQ(neighbours.in, (std::vector<Inbound>{{3, 0.5}}));
}

TEST(HypercubeTest, PartnersDifferInOneBit) {
  const auto cube = MakeHypercube();
  EXPECT_EQ(From(*cube, 8, 0), (Ids{1, 0, 3, 2, 5, 4, 7, 6}));
  EXPECT_EQ(From(*cube, 8, 1), (Ids{2, 3, 0, 1, 6, 7, 4, 5}));
  EXPECT_EQ(From(*cube, 8, 2), (Ids{4, 5, 6, 7, 0, 1, 2, 3}));
  EXPECT_EQ(From(*cube, 8, 3), From(*cube, 8, 0));
}

TEST(HypercubeTest, WhoseCornerIsEmptyIdles) {
  EXPECT_EQ(From(*MakeHypercube(), 6, 2), (Ids{4, 5, kNobody, kNobody, 0, 1}));
}

TEST(HypercubeTest, SixMembersAreToldWhatToDo) {
  EXPECT_TRUE(MakeHypercube()->Supports(8).ok());
  EXPECT_TRUE(MakeHypercube()->Supports(1).ok());
  EXPECT_EQ(MakeHypercube()->Supports(6).message(),
            "hypercube needs 2^r members, here 6: use dissemination, rotated_hypercube or "
            "random_matching, or start 2 more");
}

TEST(MatchingExponentialTest, ForPowersOfTwoItIsTheHypercube) {
  for (const size_t n : {1, 2, 4, 8, 16, 32, 64}) {
    for (uint64_t round = 0; round < 13; ++round) {
      EXPECT_EQ(From(*MakeMatchingExponential(), n, round), From(*MakeHypercube(), n, round));
    }
  }
}

TEST(MatchingExponentialTest, OtherwiseTheFirstFreeOnesPairOffRoundTheCircle) {
  EXPECT_EQ(From(*MakeMatchingExponential(), 5, 0), (Ids{1, 0, 3, 2, kNobody}));
  EXPECT_EQ(From(*MakeMatchingExponential(), 5, 2), (Ids{4, 2, 1, kNobody, 0}));
  EXPECT_FALSE(MakeMatchingExponential()->Supports(5).ok());
}

TEST(BipartiteExponentialTest, ActiveMembersGoAheadThenBackAtEveryDistance) {
  const auto graph = MakeBipartiteExponential();
  // Odd i to i + 1, i - 1, i + 3, i - 3, i + 5, i - 5.
  EXPECT_EQ(From(*graph, 8, 0), (Ids{7, 2, 1, 4, 3, 6, 5, 0}));
  EXPECT_EQ(From(*graph, 8, 1), (Ids{1, 0, 3, 2, 5, 4, 7, 6}));
  EXPECT_EQ(From(*graph, 8, 2), (Ids{5, 4, 7, 6, 1, 0, 3, 2}));
  EXPECT_EQ(From(*graph, 8, 3), (Ids{3, 6, 5, 0, 7, 2, 1, 4}));
  EXPECT_EQ(From(*graph, 8, 4), (Ids{3, 6, 5, 0, 7, 2, 1, 4}));
  EXPECT_EQ(From(*graph, 8, 6), From(*graph, 8, 0));
}

TEST(BipartiteExponentialTest, EveryPairHasAnActiveAndAPassiveMember) {
  for (size_t n = 2; n <= 33; ++n) {
    for (uint64_t round = 0; round < 12; ++round) {
      const Ids from = From(*MakeBipartiteExponential(), n, round);
      for (size_t i = 0; i < n; ++i) {
        if (from[i] == kNobody) {
          EXPECT_EQ(n % 2, 1) << "an even circle leaves nobody over";
        } else {
          EXPECT_NE(from[i] % 2, i % 2);
        }
      }
    }
  }
}

}  // namespace
}  // namespace starling
