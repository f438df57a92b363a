#include "peer/averaging/shard_reduction.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "peer/averaging/weighted_mean.h"

namespace starling {
namespace {

class ShardReductionTest : public testing::Test {
 protected:
  SharedBytes Values(const std::vector<float>& values) {
    MutableBuffer buffer = buffers_.Take(values.size());
    std::copy(values.begin(), values.end(), buffer.floats().begin());
    return std::move(buffer).Freeze();
  }

  BufferPool buffers_{0};
  ShardReduction reduction_;
};

TEST_F(ShardReductionTest, AveragesByWeightAndNamesTheContributors) {
  reduction_.Add(PeerId(9), 3, Values({2, 10}));
  reduction_.Add(PeerId(4), 1, Values({6, -10}));
  reduction_.Close(&buffers_);
  ASSERT_TRUE(reduction_.averaged());
  EXPECT_EQ(reduction_.average().floats(), absl::MakeConstSpan({3.0f, 5.0f}));
  EXPECT_EQ(*reduction_.contributors(), (std::vector<PeerId>{PeerId(4), PeerId(9)}));
  EXPECT_TRUE(reduction_.Includes(PeerId(4)));
  EXPECT_FALSE(reduction_.Includes(PeerId(5)));
}

TEST_F(ShardReductionTest, OnlyTheFirstContributionOfAPeerCounts) {
  reduction_.Add(PeerId(1), 1, Values({2}));
  reduction_.Add(PeerId(2), 1, Values({4}));
  reduction_.Add(PeerId(1), 5, Values({100}));
  EXPECT_EQ(reduction_.contributions(), 2u);
  reduction_.Close(&buffers_);
  EXPECT_EQ(reduction_.average().floats()[0], 3.0f);
}

TEST_F(ShardReductionTest, ContributionsOutOfScaleAreScreenedOut) {
  reduction_.Add(PeerId(1), 1, Values({2}));
  reduction_.Add(PeerId(2), 1, Values({-4e6f}));
  reduction_.Add(PeerId(3), 1, Values({40}));
  reduction_.Screen(Values({3}).floats());
  EXPECT_EQ(reduction_.contributions(), 2u);
  reduction_.Close(&buffers_);
  EXPECT_EQ(reduction_.average().floats()[0], 21.0f);
}

TEST_F(ShardReductionTest, NothingIsAddedToAClosedShard) {
  reduction_.Add(PeerId(1), 1, Values({2}));
  reduction_.Add(PeerId(2), 1, Values({4}));
  reduction_.Close(&buffers_);
  reduction_.Add(PeerId(3), 1, Values({300}));
  EXPECT_FALSE(reduction_.Includes(PeerId(3)));
  EXPECT_EQ(reduction_.average().floats()[0], 3.0f);
}

TEST_F(ShardReductionTest, FewerThanTwoContributionsAreAbandoned) {
  reduction_.Add(PeerId(1), 1, Values({2}));
  reduction_.Close(&buffers_);
  EXPECT_FALSE(reduction_.open());
  EXPECT_FALSE(reduction_.averaged());
  EXPECT_FALSE(reduction_.Includes(PeerId(1)));
}

TEST_F(ShardReductionTest, ClosingLetsGoOfTheContributions) {
  SharedBytes values = Values({2});
  const std::weak_ptr<const void> memory = values.owner();
  reduction_.Add(PeerId(1), 1, std::move(values));
  reduction_.Add(PeerId(2), 1, Values({4}));
  values = SharedBytes();
  EXPECT_FALSE(memory.expired());
  reduction_.Close(&buffers_);
  EXPECT_TRUE(memory.expired());
}

TEST(WeightedMeanTest, EqualTermsGiveThemselvesBackBitForBit) {
  std::vector<float> values;
  for (int i = 0; i < 5000; ++i) values.push_back(1.0f / static_cast<float>(i + 3));
  std::vector<float> mean(values.size());
  WeightedMean({{1, values}, {1, values}, {1, values}}, absl::MakeSpan(mean));
  EXPECT_EQ(mean, values);
}

TEST(WeightedMeanTest, EveryElementIsAveragedAcrossBlocks) {
  std::vector<float> a, b, expected;
  for (int i = 0; i < 3001; ++i) {
    a.push_back(static_cast<float>(i));
    b.push_back(static_cast<float>(3 * i));
    expected.push_back(static_cast<float>(2 * i));
  }
  std::vector<float> mean(a.size());
  WeightedMean({{1, a}, {1, b}}, absl::MakeSpan(mean));
  EXPECT_EQ(mean, expected);
}

TEST(WeightedMeanTest, TheLargestFloatsDoNotOverflow) {
  const std::vector<float> largest{std::numeric_limits<float>::max()};
  std::vector<float> mean(1);
  WeightedMean({{1e9, largest}, {1e-9, largest}, {0.3, largest}}, absl::MakeSpan(mean));
  EXPECT_EQ(mean, largest);
}

}  // namespace
}  // namespace starling
