#include "peer/gossip/shard_map.h"

#include "gtest/gtest.h"

namespace starling {
namespace {

TEST(ShardMapTest, TheLastShardIsShorter) {
  const ShardMap shards{10, 4};
  EXPECT_EQ(shards.count(), 3);
  EXPECT_EQ(shards.offset(0), 0);
  EXPECT_EQ(shards.length(0), 4);
  EXPECT_EQ(shards.offset(2), 8);
  EXPECT_EQ(shards.length(2), 2);
}

TEST(ShardMapTest, AVectorShorterThanAShardIsOneShard) {
  const ShardMap shards{3, 4};
  EXPECT_EQ(shards.count(), 1);
  EXPECT_EQ(shards.length(0), 3);
}

TEST(ShardMapTest, NoParametersAreNoShards) { EXPECT_EQ((ShardMap{0, 4}).count(), 0); }

TEST(ShardMapTest, ShardsCoverEveryParameterOnceInOrder) {
  for (size_t elements = 1; elements <= 40; ++elements) {
    for (size_t shard_elements = 1; shard_elements <= 41; ++shard_elements) {
      const ShardMap shards{elements, shard_elements};
      size_t covered = 0;
      for (uint32_t shard = 0; shard < shards.count(); ++shard) {
        ASSERT_EQ(shards.offset(shard), covered) << elements << "/" << shard_elements;
        ASSERT_GT(shards.length(shard), 0) << elements << "/" << shard_elements;
        ASSERT_LE(shards.length(shard), shard_elements);
        covered += shards.length(shard);
      }
      ASSERT_EQ(covered, elements) << shard_elements;
    }
  }
}

}  // namespace
}  // namespace starling
