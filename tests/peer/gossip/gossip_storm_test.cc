// Property: whatever the network loses, repeats and reorders, the sum over peers changes by no more
// than the orphans that the responders counted.

#include <algorithm>
#include <cmath>

#include "gtest/gtest.h"
#include "tests/peer/gossip/gossip_world.h"

namespace starling {
namespace {

struct Weather {
  double loss = 0;
  double repetition = 0;
  bool reordering = false;
  double pause = 0.01;  // of half a second
};

// Random steps, boundaries, deliveries and passing of time.
void Storm(GossipWorld& world, const Weather& weather, int events, Random& random) {
  const uint64_t peers = world.nodes.size();
  for (int i = 0; i < events; ++i) {
    const uint64_t id = 1 + random.UniformInt(peers);
    const double what = random.Uniform();
    if (what < 0.1) {
      world.Step(id);
    } else if (what < 0.3) {
      world.Boundary(id);
    } else if (what < 0.3 + weather.pause) {
      world.executor.Advance(absl::Milliseconds(500));
    } else if (!world.underway.empty()) {
      const size_t which = weather.reordering ? random.UniformInt(world.underway.size()) : 0;
      GossipWorld::Message message = world.underway[which];
      if (!random.Bernoulli(weather.repetition)) {
        world.underway.erase(world.underway.begin() + static_cast<std::ptrdiff_t>(which));
      }
      if (!random.Bernoulli(weather.loss)) world.Deliver(std::move(message));
    }
  }
}

// Lets everything end, and gives every responder news of a later exchange, so that all accounts
// are closed.
void CloseAccounts(GossipWorld& world) {
  for (int i = 0; i < 50; ++i) {
    world.Settle();
    world.executor.Advance(absl::Seconds(1));
  }
  for (auto& [id, node] : world.nodes) world.SetCandidates(id.value(), {});
  world.Settle();
}

double Orphaned(GossipWorld& world) {
  double norm = 0;
  for (auto& [id, node] : world.nodes) norm += world.status(id.value()).orphaned_delta_norm();
  return norm;
}

uint64_t Committed(GossipWorld& world) {
  uint64_t shards = 0;
  for (auto& [id, node] : world.nodes) shards += world.status(id.value()).shards_committed();
  return shards;
}

void Scatter(GossipWorld& world, Random& random) {
  for (auto& [id, node] : world.nodes) {
    for (float& value : node->owner.values) value = static_cast<float>(random.Normal());
  }
}

TEST(GossipStormTest, RepetitionAndReorderingLoseNothing) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    GossipWorld world(5);
    Scatter(world, random);
    const double before = world.Sum();
    Storm(world, {.repetition = 0.2, .reordering = true}, 4000, random);
    EXPECT_GT(Committed(world), 20) << seed;
    CloseAccounts(world);
    // Overtaken exchanges may be given up; what that costs is in the books.
    EXPECT_LE(std::abs(world.Sum() - before), Orphaned(world) * std::sqrt(10.0) + 1e-4) << seed;
  }
}

TEST(GossipStormTest, AnOrderlyNetworkHasNoOrphansAndTheSumIsConservedExactly) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    GossipWorld world(5);
    Scatter(world, random);
    const double before = world.Sum();
    Storm(world, {.pause = 0}, 4000, random);
    CloseAccounts(world);
    EXPECT_GT(Committed(world), 100) << seed;
    EXPECT_EQ(Orphaned(world), 0) << seed;
    EXPECT_NEAR(world.Sum(), before, 1e-4) << seed;
  }
}

TEST(GossipStormTest, LossLeaksNoMoreThanTheCountedOrphans) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    GossipWorld world(4);
    Scatter(world, random);
    const double before = world.Sum();
    Storm(world, {.loss = 0.2, .repetition = 0.1, .reordering = true}, 6000, random);
    CloseAccounts(world);
    EXPECT_LE(std::abs(world.Sum() - before), Orphaned(world) * std::sqrt(10.0) + 1e-4) << seed;
  }
}

TEST(GossipStormTest, PeersComeTogether) {
  Random random(3);
  GossipWorld world(5);
  Scatter(world, random);
  Storm(world, {.repetition = 0.1}, 20000, random);
  for (size_t i = 0; i < GossipWorld::kElements; ++i) {
    float low = 1e9f;
    float high = -1e9f;
    for (const auto& [id, node] : world.nodes) {
      low = std::min(low, node->owner.values[i]);
      high = std::max(high, node->owner.values[i]);
    }
    EXPECT_LT(high - low, 1e-3f) << i;
  }
}

}  // namespace
}  // namespace starling
