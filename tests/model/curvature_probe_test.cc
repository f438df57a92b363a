#include "model/curvature_probe.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

std::vector<float> Next(CurvatureProbe& probe) {
  const absl::Span<const float> signs = probe.Draw();
  return {signs.begin(), signs.end()};
}

TEST(CurvatureProbeTest, SignsAreFairAndIndependentOfTheirNeighbours) {
  constexpr int kDraws = 2000;
  constexpr size_t kElements = 131;  // not a multiple of 64
  CurvatureProbe probe(Random(1), kElements);
  std::vector<double> sum(kElements);
  std::vector<double> with_next(kElements);
  std::vector<double> with_next_block(kElements);
  for (int draw = 0; draw < kDraws; ++draw) {
    const std::vector<float> signs = Next(probe);
    ASSERT_EQ(signs.size(), kElements);
    for (size_t i = 0; i < kElements; ++i) {
      ASSERT_TRUE(signs[i] == 1 || signs[i] == -1);
      sum[i] += signs[i];
      with_next[i] += signs[i] * signs[(i + 1) % kElements];
      with_next_block[i] += signs[i] * signs[(i + 64) % kElements];
    }
  }
  for (size_t i = 0; i < kElements; ++i) {
    EXPECT_LT(std::abs(sum[i]), 0.1 * kDraws) << i;
    EXPECT_LT(std::abs(with_next[i]), 0.1 * kDraws) << i;
    EXPECT_LT(std::abs(with_next_block[i]), 0.1 * kDraws) << i;
  }
}

TEST(CurvatureProbeTest, SequenceDependsOnTheSeedAlone) {
  CurvatureProbe one(Random(1), 100);
  CurvatureProbe same(Random(1), 100);
  CurvatureProbe other(Random(2), 100);
  const std::vector<float> first = Next(one);
  EXPECT_EQ(first, Next(same));
  EXPECT_NE(first, Next(other));
  const std::vector<float> second = Next(one);
  EXPECT_NE(second, first);
  EXPECT_EQ(second, Next(same));
}

}  // namespace
}  // namespace starling
