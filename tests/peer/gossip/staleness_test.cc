#include "peer/gossip/staleness.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"

namespace starling {
namespace {

TEST(StalenessTest, WhoExchangedLatelyIsFresh) {
  for (const uint64_t steps : {0, 1, 10, 15, 20}) EXPECT_EQ(StalenessOf(steps, 10), 0) << steps;
}

TEST(StalenessTest, ItGrowsWithWhatWasMissedUpToOne) {
  EXPECT_EQ(StalenessOf(30, 10), 0.25);
  EXPECT_EQ(StalenessOf(40, 10), 0.5);
  EXPECT_EQ(StalenessOf(60, 10), 1);
  EXPECT_EQ(StalenessOf(1'000'000, 10), 1);
}

TEST(StalenessTest, TheLimitsAreTheCallers) {
  EXPECT_EQ(StalenessOf(10, 10, 0, 2), 0);
  EXPECT_EQ(StalenessOf(20, 10, 0, 2), 0.5);
  EXPECT_EQ(StalenessOf(30, 10, 0, 2), 1);
}

TEST(StalenessTest, WithoutAUnitNobodyIsStale) { EXPECT_EQ(StalenessOf(1000, 0), 0); }

TEST(StalenessTest, TheScoreIsTheSlopeOfTheLogDistances) {
  EXPECT_EQ(DistanceScore({}), 0);
  EXPECT_EQ(DistanceScore({3}), 0);
  EXPECT_NEAR(DistanceScore({3, 1}), -2, 1e-12);
  EXPECT_NEAR(DistanceScore({1, 1.5, 2, 2.5}), 0.5, 1e-12);
}

TEST(StalenessTest, AWorkerThatIsPulledHomeScoresAsStaleAndOneThatExploresAsFresh) {
  const double threshold = -1;
  EXPECT_EQ(StalenessOfScore(-3, threshold), 1);
  EXPECT_EQ(StalenessOfScore(-1, threshold), 1);
  EXPECT_EQ(StalenessOfScore(-0.25, threshold), 0.25);
  EXPECT_EQ(StalenessOfScore(0, threshold), 0);
  EXPECT_EQ(StalenessOfScore(2, threshold), 0);
  EXPECT_EQ(StalenessOfScore(-1, -4), 0.25);
  // Far away once, and each exchange quarters the distance.
  EXPECT_EQ(StalenessOfScore(DistanceScore({std::log(16.0), std::log(4.0), 0}), threshold), 1);
}

}  // namespace
}  // namespace starling
