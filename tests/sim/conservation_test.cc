// Exchanges move parameters between peers and neither create nor destroy anything, whatever the
// network does to their messages.

#include <cmath>

#include "gtest/gtest.h"
#include "tests/sim/simulation_testing.h"

namespace starling {
namespace {

SimulationOptions MixingOnly(uint64_t seed) {
  SimulationOptions options;
  options.seed = seed;
  options.peers = 8;
  options.learn = false;
  options.algorithm = "elastic_gossip:p=1";
  return options;
}

uint64_t Refused(const v1::GossipStatus& status, v1::RefusalReason reason) {
  for (const v1::RefusalCount& count : status.refused()) {
    if (count.reason() == reason) return count.count();
  }
  return 0;
}

// A stretch without faults, in which every pair exchanges again, so that no loss stays uncounted.
void ExpectEveryOrphanCounted(Simulation& simulation) {
  ConservationChecker& conservation = simulation.conservation();
  simulation.SetNetwork(SimNetworkOptions());
  conservation.MarkUnderway();
  simulation.RunFor(absl::Minutes(1));
  conservation.ExpectOrphansCounted(simulation);
}

TEST(ConservationTest, TenThousandExchangesWithLossDuplicationAndReorderingKeepTheSum) {
  SimulationOptions options = MixingOnly(1);
  options.network = Faulty(0.1, 0.1);
  options.look_every = absl::Seconds(1);
  auto simulation = Build(options);
  EXPECT_TRUE(simulation->RunUntil(
      [&] { return simulation->TotalGossip().exchanges_committed() >= 10'000; },
      absl::Hours(2)));
  ExpectEveryOrphanCounted(*simulation);
  ExpectNoComplaints(*simulation);
  EXPECT_LT(simulation->conservation().worst_relative_drift(), 1e-5);
  // The network was bad enough to lose some for good.
  EXPECT_GT(simulation->conservation().true_orphans(), 0u);
  EXPECT_GT(simulation->TotalGossip().orphaned_deltas(), 0u);
}

TEST(ConservationTest, AVeryBadNetworkKeepsTheSumToo) {
  for (const uint64_t seed : kSeeds) {
    SimulationOptions options = MixingOnly(seed);
    options.network = Faulty(0.4, 0.4, absl::Milliseconds(200));
    auto simulation = Build(options);
    simulation->RunFor(absl::Minutes(2));
    EXPECT_GT(simulation->TotalGossip().shards_committed(), 100u);
    ExpectEveryOrphanCounted(*simulation);
    ExpectNoComplaints(*simulation);
  }
}

TEST(ConservationTest, NothingCorruptIsEverApplied) {
  for (const uint64_t seed : kSeeds) {
    SimulationOptions options = MixingOnly(seed);
    options.network.corruption = 0.05;
    auto simulation = Build(options);
    simulation->RunFor(absl::Minutes(1));
    const SimNetworkCounters& network = simulation->network().counters();
    EXPECT_GT(network.corrupted, 100u);
    const uint64_t refused = Refused(simulation->TotalGossip(), v1::REFUSAL_REASON_CORRUPT);
    EXPECT_EQ(refused, network.refused);
    EXPECT_NEAR(static_cast<double>(network.corrupted), static_cast<double>(refused), 20);
    ExpectEveryOrphanCounted(*simulation);
    ExpectNoComplaints(*simulation);
  }
}

TEST(ConservationTest, APeerWhoseParametersBecomeNanSendsNoneAndTakesOverAnothers) {
  for (const uint64_t seed : kSeeds) {
    auto simulation = Build(MixingOnly(seed));
    simulation->RunFor(absl::Seconds(20));
    simulation->Poison(0, std::nanf(""));
    simulation->RunFor(absl::Seconds(60));
    EXPECT_EQ(simulation->peer(0).Status().recovery().rollbacks(), 1u);
    for (const SimPeer* peer : simulation->living()) {
      for (const float value : peer->parameters()) ASSERT_TRUE(std::isfinite(value));
      EXPECT_EQ(Refused(peer->Status().gossip(), v1::REFUSAL_REASON_NON_FINITE), 0u);
    }
    ExpectNoComplaints(*simulation, {"conservation: the sum", "consensus:", "finite:"});
  }
}

TEST(ConservationTest, APeerThatDiesTakesNoMoreThanItsOwnParametersAlong) {
  for (const uint64_t seed : kSeeds) {
    SimulationOptions options = MixingOnly(seed);
    options.network = Faulty(0.1, 0.1);
    auto simulation = Build(options);
    simulation->RunFor(absl::Seconds(30));
    simulation->Crash(2);
    simulation->RunFor(absl::Seconds(30));
    simulation->Crash(5);
    simulation->RunFor(absl::Seconds(30));
    ExpectEveryOrphanCounted(*simulation);
    ExpectNoComplaints(*simulation);
  }
}

TEST(ConservationTest, PullAppliesEachAnswerOnceAtMost) {
  for (const uint64_t seed : kSeeds) {
    SimulationOptions options = MixingOnly(seed);
    options.algorithm = "gossiping_sgd:p=1";
    options.network = Faulty(0.2, 0.2);
    auto simulation = Build(options);
    simulation->RunFor(absl::Minutes(2));
    EXPECT_GT(simulation->TotalGossip().exchanges_committed(), 100u);
    ExpectNoComplaints(*simulation);
  }
}

}  // namespace
}  // namespace starling
