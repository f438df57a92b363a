#include "peer/topology/rotated.h"

#include <map>
#include <memory>
#include <utility>

#include "gtest/gtest.h"
#include "peer/topology/exponential.h"
#include "peer/topology/exponential_pairs.h"
#include "peer/topology/random_pairs.h"
#include "tests/peer/topology/chi_square.h"

namespace starling {
namespace {

constexpr size_t kMembers = 16;
constexpr uint64_t kCycle = 4;

// How often each member received from each other one, over `permutations` of them from `first` on.
std::map<std::pair<size_t, size_t>, double> Meetings(const Topology& topology, uint64_t first,
                                                     uint64_t permutations, uint32_t segment = 0) {
  std::map<std::pair<size_t, size_t>, double> counts;
  RoundPlace place = {kMembers, 0, 0, segment, 12};
  for (uint64_t k = first * kCycle; k < (first + permutations) * kCycle; ++k) {
    place.round = k;
    for (place.self = 0; place.self < kMembers; ++place.self) {
      for (const Inbound& inbound : topology.Of(place).in) counts[{place.self, inbound.from}] += 1;
    }
  }
  return counts;
}

constexpr size_t kPairs = kMembers * (kMembers - 1);

TEST(RotatedTest, TheFirstTopologyIsTheBaseItself) {
  const auto rotated = MakeRotated(MakeHypercube(), 0);
  const auto base = MakeHypercube();
  for (uint64_t round = 0; round < kCycle; ++round) {
    for (size_t i = 0; i < kMembers; ++i) {
      const RoundPlace place = {kMembers, i, round, 3, 99};
      EXPECT_EQ(rotated->Of(place), base->Of(place));
    }
  }
}

TEST(RotatedTest, EveryPairMeetsAboutEquallyOftenInACycleOfAsManyPermutationsAsMembers) {
  // Meetings in pairs come double, at both members, and so does their chi-square.
  const auto hypercube = MakeRotated(MakeHypercube(), 0);
  const auto dissemination = MakeRotated(MakeDissemination(), 0);
  for (const uint64_t first : {0, 16, 32, 1000}) {
    EXPECT_LT(ChiSquareUniform(Meetings(*hypercube, first, kMembers), kPairs) / 2,
              ChiSquareLimit(kPairs / 2));
    EXPECT_LT(ChiSquareUniform(Meetings(*dissemination, first, kMembers), kPairs),
              ChiSquareLimit(kPairs));
  }
  // And over many cycles.
  EXPECT_LT(ChiSquareUniform(Meetings(*dissemination, 0, 1000), kPairs), ChiSquareLimit(kPairs));
}

TEST(RotatedTest, WithoutRotationMostPairsNeverMeet) {
  EXPECT_EQ(Meetings(*MakeDissemination(), 0, kMembers).size(), kMembers * kCycle);
  EXPECT_GT(ChiSquareUniform(Meetings(*MakeDissemination(), 0, kMembers), kPairs),
            5 * ChiSquareLimit(kPairs));
}

TEST(RotatedTest, SeatsStayForAsManyRoundsAsAsked) {
  const auto rotated = MakeRotated(MakeHypercube(), 3 * kCycle);
  RoundPlace place = {kMembers, 5, 0, 0, 4};
  for (uint64_t block = 0; block < 6; ++block) {
    for (uint64_t round = 0; round < 2 * kCycle; ++round) {
      place.round = block * 3 * kCycle + round;
      const Neighbours here = rotated->Of(place);
      place.round += kCycle;
      EXPECT_EQ(rotated->Of(place), here) << "the base repeats itself in the same seats";
    }
  }
  EXPECT_NE(Meetings(*rotated, 0, 3), Meetings(*rotated, 3, 3));
}

TEST(RotatedTest, NeighboursAreListedAscendingWhateverTheirSeats) {
  const auto rotated = MakeRotated(MakeMultiPeerExponential(3), 1);
  for (uint64_t round = 1; round < 50; ++round) {
    const Neighbours neighbours = rotated->Of({kMembers, 2, round, 0, 1});
    ASSERT_EQ(neighbours.in.size(), 3);
    for (size_t k = 1; k < 3; ++k) {
      EXPECT_LT(neighbours.in[k - 1].from, neighbours.in[k].from);
      EXPECT_LT(neighbours.out[k - 1], neighbours.out[k]);
    }
  }
}

TEST(RotatedTest, SegmentsSitDifferently) {
  const auto rotated = MakeRotated(MakeHypercube(), 0);
  EXPECT_EQ(Meetings(*rotated, 0, 1, 0), Meetings(*rotated, 0, 1, 1)) << "but not at first";
  EXPECT_NE(Meetings(*rotated, 1, 1, 0), Meetings(*rotated, 1, 1, 1));
}

TEST(RotatedTest, ItSupportsWhatTheBaseDoesNot) {
  EXPECT_FALSE(MakeHypercube()->Supports(6).ok());
  EXPECT_TRUE(MakeRotated(MakeHypercube(), 0)->Supports(6).ok());
}

TEST(RotatedTest, WhatIsDrawnByLotKeepsItsLotsIndependentOfTheSeats) {
  // A seat drawn with the very numbers of the matching would always face the same neighbour.
  const auto rotated = MakeRotated(MakeRandomMatching(), 1);
  std::map<std::pair<size_t, size_t>, double> counts;
  for (uint64_t round = 1; round <= 6000; ++round) {
    counts[{0, rotated->Of({7, 0, round, 0, 3}).in.empty() ? 0 : 1}] += 1;
    for (const Inbound& in : rotated->Of({6, 0, round, 0, 3}).in) counts[{1, in.from}] += 1;
  }
  EXPECT_NEAR((counts[{0, 0}]), 6000.0 / 7, 110);
  for (size_t j = 1; j < 6; ++j) EXPECT_NEAR((counts[{1, j}]), 1200, 125) << j;
}

}  // namespace
}  // namespace starling
