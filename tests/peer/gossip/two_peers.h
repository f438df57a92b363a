// Peers 1 and 2 of a GossipWorld before they have met, and after.

#ifndef STARLING_TESTS_PEER_GOSSIP_TWO_PEERS_H_
#define STARLING_TESTS_PEER_GOSSIP_TWO_PEERS_H_

#include <vector>

#include "gtest/gtest.h"
#include "tests/peer/gossip/gossip_world.h"

namespace starling {

inline constexpr uint32_t kShards = GossipWorld::kShards;
// They begin with ten parameters of 1 and 4.
inline constexpr double kSum = 50;
inline const std::vector<float> kFours(GossipWorld::kElements, 4.0f);
inline const std::vector<float> kMean(GossipWorld::kElements, 2.5f);
// Before the first measurement the deadline is the ceiling of 20 s and what so few bytes take; a quarter of it:
inline constexpr absl::Duration kQuarter = absl::Milliseconds(5001);

inline void ExpectSettledWithoutLoss(GossipWorld& world) {
  EXPECT_EQ(world.Sum(), kSum);
  EXPECT_EQ(world.node(1).owner.values, kMean);
  EXPECT_EQ(world.node(2).owner.values, kMean);
  EXPECT_EQ(world.status(1).exchanges_committed(), 1);
  EXPECT_EQ(world.status(2).orphaned_deltas(), 0);
}

}  // namespace starling

#endif  // STARLING_TESTS_PEER_GOSSIP_TWO_PEERS_H_
