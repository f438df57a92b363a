#include "peer/runtime/random.h"

#include <cmath>
#include <functional>
#include <vector>

#include "gtest/gtest.h"

namespace starling {
namespace {

// Runs are replayed by their seed: these numbers must never change.
TEST(RandomTest, TheStreamsAreFixedForever) {
  Random random(42);
  EXPECT_EQ(random.Next(), 0x15780b2e0c2ec716u);
  EXPECT_EQ(random.Next(), 0x6104d9866d113a7eu);
  EXPECT_EQ(random.Next(), 0xae17533239e499a1u);
  EXPECT_EQ(Random(42).Split("data").Next(), 0x23c7e3597b6cac97u);
  EXPECT_EQ(Random(42).Split(7).Next(), 0x1368549b5bd3b048u);
}

TEST(RandomTest, SplittingLeavesTheStreamAloneAndDependsOnTheLabelOnly) {
  Random one(1), other(1);
  other.Split("a").Next();
  EXPECT_EQ(one.Next(), other.Next());
  // However far the parent has advanced.
  EXPECT_EQ(one.Split("a").Next(), Random(1).Split("a").Next());
  EXPECT_NE(one.Split("a").Next(), one.Split("b").Next());
  EXPECT_NE(one.Split("a").Next(), Random(2).Split("a").Next());
  EXPECT_NE(one.Split(uint64_t{0}).Next(), Random(1).Next());
}

TEST(RandomTest, SplitStreamsAreUncorrelated) {
  constexpr int kDraws = 100000;
  for (uint64_t label = 0; label < 8; ++label) {
    Random parent(99);
    Random one = parent.Split(label), other = parent.Split(label + 1);
    double products = 0;
    for (int i = 0; i < kDraws; ++i) {
      products += (one.Uniform() - 0.5) * (other.Uniform() - 0.5) * 12;
    }
    // Standard deviation of the mean: 1 / sqrt(draws).
    EXPECT_LT(std::abs(products / kDraws), 5 / std::sqrt(kDraws));
  }
}

void ExpectMoments(const std::function<double()>& draw, double mean, double variance) {
  constexpr int kDraws = 200000;
  double sum = 0, squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = draw();
    sum += x;
    squares += (x - mean) * (x - mean);
  }
  EXPECT_NEAR(sum / kDraws, mean, 6 * std::sqrt(variance / kDraws));
  EXPECT_NEAR(squares / kDraws, variance, 0.05 * variance);
}

TEST(RandomTest, DistributionsHaveTheirMoments) {
  Random random(3);
  ExpectMoments([&] { return random.Uniform(); }, 0.5, 1.0 / 12);
  ExpectMoments([&] { return random.Normal(); }, 0, 1);
  ExpectMoments([&] { return random.Exponential(2); }, 2, 4);
  ExpectMoments([&] { return random.Gamma(3); }, 3, 3);
  ExpectMoments([&] { return random.Gamma(0.3); }, 0.3, 0.3);
  ExpectMoments([&] { return random.Bernoulli(0.2); }, 0.2, 0.16);
  ExpectMoments([&] { return static_cast<double>(random.UniformInt(10)); }, 4.5, 8.25);
}

TEST(RandomTest, UniformIntStaysBelowItsBound) {
  Random random(4);
  for (uint64_t bound : {uint64_t{1}, uint64_t{3}, (uint64_t{1} << 63) + 1}) {
    for (int i = 0; i < 1000; ++i) EXPECT_LT(random.UniformInt(bound), bound);
  }
}

TEST(RandomTest, ShufflesAreUniform) {
  Random random(5);
  std::vector<int> counts(6);
  constexpr int kDraws = 60000;
  for (int i = 0; i < kDraws; ++i) {
    std::vector<int> values = {0, 1, 2};
    random.Shuffle(values);
    ++counts[2 * values[0] + (values[1] > values[2])];
  }
  for (int count : counts) EXPECT_NEAR(count, kDraws / 6, 6 * std::sqrt(kDraws / 6));
}

}  // namespace
}  // namespace starling
