#include "peer/codec/bit_budget.h"

#include <cmath>

#include "gtest/gtest.h"
#include "peer/codec/levels.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

TEST(BitBudgetTest, BitsGrowWithTheNormAndWithTheFineness) {
  for (double fineness = 0.01; fineness < 1e4; fineness *= 1.7) {
    for (double norm = 0.001; norm < 1e3; norm *= 1.3) {
      const uint32_t bits = BitsForNorm(norm, fineness);
      EXPECT_GE(bits, kLeastBits);
      EXPECT_LE(bits, kMostBits);
      EXPECT_GE(BitsForNorm(norm * 1.3, fineness), bits);
      EXPECT_GE(BitsForNorm(norm, fineness * 1.7), bits);
    }
  }
}

// B = log2(k N + 1) + 1, rounded up.
TEST(BitBudgetTest, BitsFollowTheFormulaOfThePaper) {
  for (const double norm : {0.5, 1.0, 3.0, 10.0, 50.0}) {
    const double exact = std::log2(2 * norm + 1) + 1;
    EXPECT_EQ(BitsForNorm(norm, 2), std::min(8.0, std::max(3.0, std::ceil(exact)))) << norm;
  }
  EXPECT_EQ(BitsForNorm(0, 1), 3);
  EXPECT_EQ(BitsForNorm(1e30, 1e30), 8);
}

TEST(BitBudgetTest, BeginsWhereABucketTakesTheBitsOfTheBudget) {
  BitBudget budget(5);
  budget.Calibrate(0.25);
  EXPECT_EQ(BitsForNorm(0.25, budget.fineness()), 5);
}

// Norms that wander over four orders of magnitude, payload after payload.
TEST(BitBudgetTest, SpendsTheBudgetWhateverTheNormsDo) {
  for (const double bits : {3.5, 4.0, 6.0}) {
    BitBudget budget(bits);
    Random random(3);
    double spent = 0;
    double norm = 1;
    constexpr int kPayloads = 400;
    constexpr size_t kNumbers = 1000;
    budget.Calibrate(norm);
    for (int payload = 0; payload < kPayloads; ++payload) {
      norm *= std::exp2(random.Normal() * 0.3) * std::pow(10.0, -4.0 / kPayloads);
      const double each = budget.overspent() ? 3 : BitsForNorm(norm, budget.fineness());
      spent += each * kNumbers;
      budget.OnEncoded(kNumbers, static_cast<size_t>(each * kNumbers));
      budget.EndPayload();
      EXPECT_LE(spent, bits * kNumbers * (payload + 1.5) + 8 * kNumbers);
    }
    EXPECT_NEAR(spent / (kPayloads * kNumbers), bits, 0.1);
  }
}

TEST(BitBudgetTest, SurvivesPayloadsOfNothing) {
  BitBudget budget(4);
  budget.EndPayload();
  budget.Calibrate(1);
  for (int i = 0; i < 2000; ++i) {
    budget.OnEncoded(100, 0);
    budget.EndPayload();
  }
  EXPECT_TRUE(std::isfinite(budget.fineness()));
  EXPECT_EQ(BitsForNorm(0, budget.fineness()), 3);
  // And comes back to the budget soon.
  for (int i = 0; i < 120; ++i) {
    budget.OnEncoded(100, 100 * BitsForNorm(1, budget.fineness()));
    budget.EndPayload();
  }
  EXPECT_LE(BitsForNorm(1, budget.fineness()), 5);
}

}  // namespace
}  // namespace starling
