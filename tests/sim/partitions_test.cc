#include "tests/sim/partitions.h"

#include <map>
#include <set>

#include "gtest/gtest.h"

namespace starling {
namespace {

using Directions = std::set<std::pair<int, int>>;

Directions Cuts(PartitionKind kind, const std::vector<int>& nodes) {
  const auto cuts = CutsOf(kind, nodes);
  const Directions unique(cuts.begin(), cuts.end());
  EXPECT_EQ(unique.size(), cuts.size());
  return unique;
}

// How many others each can talk to in both directions, itself included.
std::map<int, int> Reach(PartitionKind kind, const std::vector<int>& nodes) {
  const Directions cuts = Cuts(kind, nodes);
  std::map<int, int> reach;
  for (const int a : nodes) {
    for (const int b : nodes) reach[a] += cuts.count({a, b}) + cuts.count({b, a}) == 0;
  }
  return reach;
}

TEST(PartitionsTest, HalvesHearNothingOfEachOther) {
  EXPECT_EQ(Cuts(PartitionKind::kHalves, {7, 3, 5}),
            (Directions{{7, 3}, {7, 5}, {3, 7}, {5, 7}}));
  EXPECT_EQ(Cuts(PartitionKind::kOneWay, {0, 1, 2, 3}),
            (Directions{{0, 2}, {0, 3}, {1, 2}, {1, 3}}));
}

TEST(PartitionsTest, OneNodeCanBeAloneDeafOrMute) {
  EXPECT_EQ(Cuts(PartitionKind::kDeaf, {4, 1, 2}), (Directions{{1, 4}, {2, 4}}));
  EXPECT_EQ(Cuts(PartitionKind::kMute, {4, 1, 2}), (Directions{{4, 1}, {4, 2}}));
  EXPECT_EQ(Reach(PartitionKind::kIsolated, {4, 1, 2}), (std::map<int, int>{{4, 1}, {1, 2}, {2, 2}}));
}

TEST(PartitionsTest, ABridgeTalksToBothParts) {
  EXPECT_EQ(Reach(PartitionKind::kBridge, {9, 1, 2, 3, 4}),
            (std::map<int, int>{{9, 5}, {1, 3}, {2, 3}, {3, 3}, {4, 3}}));
}

TEST(PartitionsTest, InARingEverybodyTalksToAMajorityAndNobodyToAll) {
  for (int n = 4; n <= 9; ++n) {
    std::vector<int> nodes;
    for (int i = 0; i < n; ++i) nodes.push_back(10 + i);
    for (const auto& [node, reach] : Reach(PartitionKind::kRing, nodes)) {
      EXPECT_GT(2 * reach, n) << n;
      EXPECT_LT(reach, n) << n;
    }
  }
}

TEST(PartitionsTest, TooFewAreNotParted) {
  for (const PartitionKind kind : kPartitionKinds) {
    EXPECT_TRUE(CutsOf(kind, {}).empty());
    EXPECT_TRUE(CutsOf(kind, {1}).empty());
    EXPECT_FALSE(NameOf(kind).empty());
  }
  EXPECT_TRUE(CutsOf(PartitionKind::kBridge, {1, 2}).empty());
  EXPECT_TRUE(CutsOf(PartitionKind::kRing, {1, 2, 3}).empty());
}

}  // namespace
}  // namespace starling
