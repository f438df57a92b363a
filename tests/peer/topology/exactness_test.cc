// How near the mean a cycle of rounds comes.

#include <memory>

#include "gtest/gtest.h"
#include "peer/topology/everyone.h"
#include "peer/topology/exponential.h"
#include "peer/topology/exponential_pairs.h"
#include "peer/topology/lazy.h"
#include "peer/topology/mixing_matrix.h"
#include "peer/topology/ring.h"
#include "peer/topology/rotated.h"

namespace starling {
namespace {

double LeftAfter(const Topology& topology, size_t members, uint64_t rounds) {
  return MixingMatrix::Of(topology, {members, 0, 0, 0, 1}, rounds).DistanceToMean();
}

void ExpectExactForPowersOfTwo(const Topology& topology) {
  for (uint64_t r = 1; r <= 6; ++r) {
    const size_t n = size_t{1} << r;
    EXPECT_EQ(topology.exact_after(n), r);
    EXPECT_LT(LeftAfter(topology, n, r), 1e-15) << topology.name() << ", " << n;
    EXPECT_GT(LeftAfter(topology, n, r - 1), 0.4 / n) << "not earlier: " << topology.name();
  }
  for (const size_t n : {3, 5, 6, 7, 9, 12, 33}) EXPECT_EQ(topology.exact_after(n), 0) << n;
}

TEST(ExactnessTest, PowersOfTwoReachTheirMeanAfterTheLogarithmOfRounds) {
  ExpectExactForPowersOfTwo(*MakeHypercube());
  ExpectExactForPowersOfTwo(*MakeDissemination());
  ExpectExactForPowersOfTwo(*MakeOnePeerExponential());
  ExpectExactForPowersOfTwo(*MakeMatchingExponential());
}

TEST(ExactnessTest, SeveralPeersReachPowersOfOneMore) {
  for (const uint64_t peers : {1, 2, 3, 4}) {
    const auto topology = MakeMultiPeerExponential(peers);
    size_t n = 1;
    for (uint64_t r = 1; r <= 3; ++r) {
      n *= peers + 1;
      EXPECT_EQ(topology->exact_after(n), r) << peers;
      EXPECT_LT(LeftAfter(*topology, n, r), 1e-15) << peers << " peers, " << n << " members";
    }
    EXPECT_EQ(topology->exact_after(n + 1), 0) << peers << " peers hit only powers";
  }
  EXPECT_EQ(MakeMultiPeerExponential(9)->exact_after(10), 1);
  EXPECT_EQ(MakeMultiPeerExponential(9)->exact_after(7), 1) << "more peers than others";
}

TEST(ExactnessTest, TheOnePeerExponentialGraphLeavesThisMuchAfterACycleOtherwise) {
  const auto topology = MakeOnePeerExponential();
  EXPECT_NEAR(LeftAfter(*topology, 3, 2), 0.167, 0.0005);
  EXPECT_NEAR(LeftAfter(*topology, 5, 3), 0.075, 0.0005);
  EXPECT_NEAR(LeftAfter(*topology, 6, 3), 0.083, 0.0005);
  EXPECT_NEAR(LeftAfter(*topology, 7, 3), 0.107, 0.0005);
  EXPECT_NEAR(LeftAfter(*topology, 12, 4), 0.042, 0.0005);
}

TEST(ExactnessTest, DisseminationLeavesTheSameForItIsTheSameTurnedRound) {
  for (const size_t n : {3, 5, 6, 7, 12}) {
    for (const uint64_t rounds : {1, 2, 3, 4, 9}) {
      EXPECT_NEAR(LeftAfter(*MakeDissemination(), n, rounds),
                  LeftAfter(*MakeOnePeerExponential(), n, rounds), 1e-15);
    }
  }
}

TEST(ExactnessTest, RotationBringsOtherNumbersNearTheMeanToo) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const auto hypercube = MakeRotated(MakeHypercube(), 0);
    const auto dissemination = MakeRotated(MakeDissemination(), 0);
    for (const Topology* topology : {hypercube.get(), dissemination.get()}) {
      double before = 1;
      for (const uint64_t rounds : {3, 6, 12, 24, 48}) {
        const double left =
            MixingMatrix::Of(*topology, {6, 0, 0, 0, seed}, rounds).DistanceToMean();
        EXPECT_LT(left, 0.7 * before) << topology->name() << " after " << rounds;
        before = left;
      }
      EXPECT_LT(before, 1e-6) << topology->name();
    }
  }
}

TEST(ExactnessTest, RotationKeepsPowersOfTwoExact) {
  const auto topology = MakeRotated(MakeHypercube(), 0);
  for (const uint64_t permutation : {0, 1, 2, 7, 1000}) {
    const RoundPlace place = {16, 0, 4 * permutation, 0, 9};
    EXPECT_LT(MixingMatrix::Of(*topology, place, 4).DistanceToMean(), 1e-15) << permutation;
  }
  EXPECT_EQ(topology->exact_after(16), 7);
  EXPECT_EQ(MakeRotated(MakeHypercube(), 3)->exact_after(16), 0) << "cut off before it is exact";
}

TEST(ExactnessTest, TheRingShrinksWhatIsLeftByItsSecondEigenvalue) {
  // 1/3 + 2/3 cos(2 pi / 8) = 0.80474; lazily (1 + that) / 2.
  EXPECT_NEAR(LeftAfter(*MakeRing(), 8, 41) / LeftAfter(*MakeRing(), 8, 40), 0.80474, 1e-5);
  const auto lazy = MakeLazy(MakeRing());
  EXPECT_NEAR(LeftAfter(*lazy, 8, 81) / LeftAfter(*lazy, 8, 80), 0.90237, 1e-5);
}

TEST(ExactnessTest, TheCompleteGraphIsExactAtOnceAndItsLazyFormNever) {
  EXPECT_LT(LeftAfter(*MakeComplete(), 7, 1), 1e-15);
  const auto lazy = MakeLazy(MakeComplete());
  EXPECT_EQ(lazy->exact_after(7), 0);
  EXPECT_NEAR(LeftAfter(*lazy, 7, 3), (1 - 1.0 / 7) / 8, 1e-15);
}

}  // namespace
}  // namespace starling
