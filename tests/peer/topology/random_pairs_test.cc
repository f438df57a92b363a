#include "peer/topology/random_pairs.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "gtest/gtest.h"
#include "peer/topology/mixing_matrix.h"
#include "tests/peer/topology/chi_square.h"

namespace starling {
namespace {

using Ids = std::vector<size_t>;

// Whom each member receives from, itself where it idles.
Ids From(const Topology& topology, size_t members, uint64_t round, uint32_t segment = 0,
         uint64_t seed = 1) {
  Ids from;
  for (size_t i = 0; i < members; ++i) {
    const Neighbours neighbours = topology.Of({members, i, round, segment, seed});
    from.push_back(neighbours.in.empty() ? i : neighbours.in[0].from);
  }
  return from;
}

std::map<Ids, double> Frequencies(const Topology& topology, size_t members, uint64_t rounds) {
  std::map<Ids, double> counts;
  for (uint64_t round = 0; round < rounds; ++round) counts[From(topology, members, round)] += 1;
  return counts;
}

TEST(RandomMatchingTest, EveryMatchingIsEquallyLikely) {
  const auto counts = Frequencies(*MakeRandomMatching(), 6, 30000);
  EXPECT_EQ(counts.size(), 15);
  EXPECT_LT(ChiSquareUniform(counts, 15), ChiSquareLimit(15));
}

TEST(RandomMatchingTest, OfAnOddNumberOneIdlesAndEveryoneEquallyOften) {
  std::map<size_t, double> idle;
  const auto matching = MakeRandomMatching();
  for (uint64_t round = 0; round < 10000; ++round) {
    const Ids from = From(*matching, 5, round);
    size_t idles = 0;
    for (size_t i = 0; i < 5; ++i) {
      if (from[i] != i) continue;
      ++idles;
      idle[i] += 1;
    }
    ASSERT_EQ(idles, 1);
  }
  EXPECT_LT(ChiSquareUniform(idle, 5), ChiSquareLimit(5));
}

TEST(RandomMatchingTest, RoundsSegmentsAndSeedsAreDifferentLots) {
  const auto matching = MakeRandomMatching();
  std::map<size_t, double> same = {{0, 0}, {1, 0}, {2, 0}};
  constexpr int kRounds = 30000;
  for (uint64_t round = 0; round < kRounds; ++round) {
    const Ids here = From(*matching, 6, round);
    same[0] += here == From(*matching, 6, round + 1);
    same[1] += here == From(*matching, 6, round, 1);
    same[2] += here == From(*matching, 6, round, 0, 2);
  }
  // One in 15 by chance: 2000, standard deviation 43.
  for (const auto& [what, count] : same) EXPECT_NEAR(count, kRounds / 15, 180) << what;
}

TEST(DerangementTest, IsOneForEveryNumberOfMembers) {
  for (const auto sampler : {UniformDerangement, CrossoverDerangement}) {
    for (size_t n = 2; n <= 64; ++n) {
      for (uint64_t seed = 0; seed < 50; ++seed) {
        Random random(seed);
        Ids sigma = sampler(n, random);
        ASSERT_EQ(sigma.size(), n);
        for (size_t r = 0; r < n; ++r) ASSERT_NE(sigma[r], r) << n << " members, seed " << seed;
        std::sort(sigma.begin(), sigma.end());
        for (size_t r = 0; r < n; ++r) ASSERT_EQ(sigma[r], r) << n << " members, seed " << seed;
      }
    }
    Random random(1);
    EXPECT_TRUE(sampler(1, random).empty());
  }
}

TEST(DerangementTest, OfTwoItIsTheSwap) {
  for (uint64_t round = 0; round < 20; ++round) {
    EXPECT_EQ(From(*MakeRandomDerangement(), 2, round), (Ids{1, 0}));
    EXPECT_EQ(From(*MakeCrossoverDerangement(), 2, round), (Ids{1, 0}));
  }
}

TEST(DerangementTest, EverybodySendsOnceAndReceivesOncePerSegmentAndTheMeanStays) {
  for (const auto make : {MakeRandomDerangement, MakeCrossoverDerangement}) {
    const auto topology = make();
    for (size_t n = 2; n <= 64; ++n) {
      for (uint32_t segment = 0; segment < 6; ++segment) {
        RoundPlace place = {n, 0, 41, segment, 8};
        for (place.self = 0; place.self < n; ++place.self) {
          const Neighbours neighbours = topology->Of(place);
          ASSERT_EQ(neighbours.in.size(), 1);
          ASSERT_EQ(neighbours.out.size(), 1);
          ASSERT_EQ(neighbours.in[0].weight, 0.5);
        }
        ASSERT_TRUE(MixingMatrix::Of(*topology, place).DoublyStochastic());
      }
    }
  }
}

TEST(DerangementTest, AllAreEquallyLikelyByRejection) {
  const auto of_four = Frequencies(*MakeRandomDerangement(), 4, 30000);
  EXPECT_EQ(of_four.size(), 9);
  EXPECT_LT(ChiSquareUniform(of_four, 9), ChiSquareLimit(9));
  const auto of_five = Frequencies(*MakeRandomDerangement(), 5, 44000);
  EXPECT_EQ(of_five.size(), 44);
  EXPECT_LT(ChiSquareUniform(of_five, 44), ChiSquareLimit(44));
}

TEST(DerangementTest, TheAuthorsSamplerPrefersSomeToOthersAsItsChoicesImply) {
  constexpr double kRounds = 60000;
  auto counts = Frequencies(*MakeCrossoverDerangement(), 4, static_cast<uint64_t>(kRounds));
  ASSERT_EQ(counts.size(), 9);
  // Followed by hand: 0 has three choices; 1 then three (if 0 took 1) or two; 2 has one if 3 is
  // free, else two or one; 3 takes what is left.
  const std::map<Ids, double> exact = {
      {{1, 0, 3, 2}, 1.0 / 9},  {{1, 2, 3, 0}, 1.0 / 9},  {{1, 3, 0, 2}, 1.0 / 9},
      {{2, 0, 3, 1}, 1.0 / 6},  {{2, 3, 0, 1}, 1.0 / 12}, {{2, 3, 1, 0}, 1.0 / 12},
      {{3, 0, 1, 2}, 1.0 / 6},  {{3, 2, 0, 1}, 1.0 / 12}, {{3, 2, 1, 0}, 1.0 / 12},
  };
  // Standard deviations up to 0.0015.
  for (const auto& [sigma, probability] : exact) {
    EXPECT_NEAR(counts[sigma] / kRounds, probability, 0.006) << testing::PrintToString(sigma);
  }
  EXPECT_GT(ChiSquareUniform(counts, 9), 10 * ChiSquareLimit(9)) << "not uniform";
}

TEST(DerangementTest, TheMoreSegmentsTheMorePeersInOneRound) {
  const auto topology = MakeRandomDerangement();
  constexpr size_t kMembers = 16;
  double before = 0;
  for (const uint32_t segments : {1, 2, 4, 8, 16}) {
    double distinct = 0;
    constexpr uint64_t kRounds = 500;
    for (uint64_t round = 0; round < kRounds; ++round) {
      std::set<size_t> from;
      for (uint32_t segment = 0; segment < segments; ++segment) {
        from.insert(topology->Of({kMembers, 3, round, segment, 6}).in[0].from);
      }
      distinct += static_cast<double>(from.size()) / kRounds;
    }
    // Drawn with repetition from the 15 others.
    EXPECT_NEAR(distinct, 15 * (1 - std::pow(14.0 / 15, segments)), 0.3) << segments;
    EXPECT_GT(distinct, before);
    before = distinct;
  }
}

}  // namespace
}  // namespace starling
