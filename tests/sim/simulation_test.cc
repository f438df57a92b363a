// Whole swarms: the same course for the same seed, agreement, learning, every algorithm.

#include <cmath>

#include "gtest/gtest.h"
#include "peer/algorithms/registry.h"
#include "tests/sim/simulation_testing.h"

namespace starling {
namespace {

uint64_t EventfulTrace(uint64_t seed) {
  SimulationOptions options;
  options.seed = seed;
  options.network = Faulty(0.05, 0.05);
  options.network.corruption = 0.01;
  options.averaging_period_steps = 200;
  auto simulation = Build(options);
  simulation->RunFor(absl::Seconds(10));
  simulation->Crash(1);
  simulation->Pause(2);
  simulation->StopCoordinator();
  simulation->RunFor(absl::Seconds(10));
  simulation->Restart(1);
  simulation->Resume(2);
  simulation->StartCoordinator();
  simulation->Join();
  simulation->RunFor(absl::Seconds(10));
  return simulation->TraceHash();
}

TEST(SimulationTest, TheSameSeedIsTheSameTraceAndAnotherSeedAnother) {
  const uint64_t trace = EventfulTrace(7);
  EXPECT_EQ(trace, EventfulTrace(7));
  EXPECT_NE(trace, EventfulTrace(8));
}

TEST(SimulationTest, ExchangesAloneBringPeersTogetherByManyOrdersOfMagnitude) {
  for (const uint64_t seed : kSeeds) {
    SimulationOptions options;
    options.seed = seed;
    options.learn = false;
    auto simulation = Build(options);
    AwaitTraining(*simulation);
    const double before = simulation->ConsensusDistance();
    EXPECT_GT(before, 1);
    Settle(*simulation);
    simulation->RunFor(absl::Minutes(1));
    EXPECT_LT(simulation->ConsensusDistance(), 1e-5 * before);
    ExpectNoComplaints(*simulation);
  }
}

TEST(SimulationTest, PeersThatAgreeStayAsTheyAre) {
  SimulationOptions options;
  options.learn = false;
  auto simulation = Build(options);
  simulation->RunFor(absl::Seconds(5));
  for (int node = 0; node < options.peers; ++node) simulation->Poison(node, 1.25f);
  const uint64_t before = simulation->TotalGossip().exchanges_committed();
  simulation->RunFor(absl::Seconds(30));
  EXPECT_GT(simulation->TotalGossip().exchanges_committed(), before + 100);
  // What was underway when they were made equal may still have moved them.
  EXPECT_LT(simulation->ConsensusDistance(), 1e-3);
}

TEST(SimulationTest, TheSwarmFindsTheOptimumOverAllData) {
  for (const uint64_t seed : kSeeds) {
    SimulationOptions options;
    options.seed = seed;
    auto simulation = Build(options);
    AwaitTraining(*simulation);
    const double before = simulation->DistanceFromOptimum();
    simulation->RunFor(absl::Minutes(1));
    EXPECT_LT(simulation->DistanceFromOptimum(), 0.1 * before);
    EXPECT_LT(simulation->ConsensusDistance(), 0.1 * before);
    ExpectNoComplaints(*simulation);
  }
}

TEST(SimulationTest, PeersWithUnlikeDataAgreeIfTheyTalkAndElseDoNot) {
  for (const uint64_t seed : kSeeds) {
    SimulationOptions options;
    options.seed = seed;
    options.dirichlet_alpha = 0.1;
    options.algorithm = "elastic_gossip:p=1";
    auto together = Build(options);
    together->RunFor(absl::Minutes(1));
    options.algorithm = "none";
    auto alone = Build(options);
    alone->RunFor(absl::Minutes(1));
    EXPECT_GT(alone->ConsensusDistance(), 2 * together->ConsensusDistance());
    for (const Simulation* each : {together.get(), alone.get()}) ExpectNoComplaints(*each);
  }
}

TEST(SimulationTest, EveryAlgorithmRunsOnABadNetwork) {
  for (const AlgorithmRow& row : AlgorithmRegistry()) {
    for (const uint64_t seed : kSeeds) {
      SimulationOptions options;
      options.seed = seed;
      options.algorithm = std::string(row.name);
      options.network = Faulty(0.1, 0.1);
      auto simulation = Build(options);
      // A step that waits for a round waits for what was lost of it to be sent again.
      const bool waits = !MakeAlgorithm(simulation->config().algorithm())->rounds.empty();
      simulation->RunFor(absl::Minutes(waits ? 4 : 1));
      EXPECT_LT(simulation->DistanceFromOptimum(), 1.5) << row.name;
      ExpectNoComplaints(*simulation);
      ExpectEverybodyTrains(*simulation, absl::Seconds(waits ? 30 : 2));
    }
  }
}

TEST(SimulationTest, AStragglerSlowsNobody) {
  SimulationOptions options;
  options.stragglers = 1;
  options.straggler_factor = 20;
  auto simulation = Build(options);
  simulation->RunFor(absl::Minutes(1));
  const double expected = 60 / absl::ToDoubleSeconds(options.step_time);
  for (int node = 1; node < options.peers; ++node) {
    EXPECT_GT(static_cast<double>(simulation->peer(node).steps()), 0.85 * expected);
  }
  EXPECT_GT(simulation->peer(0).Status().gossip().exchanges_answered(), 0u);
  ExpectNoComplaints(*simulation);
}

TEST(SimulationTest, PeersThatHaveMadeTheirStepsFinishAndStillAnswer) {
  SimulationOptions options;
  options.steps = 500;
  options.stragglers = 1;
  auto simulation = Build(options);
  EXPECT_TRUE(simulation->RunUntil(
      [&] { return simulation->peer(1).phase() == v1::PHASE_FINISHED; }, absl::Minutes(1)));
  const uint64_t answered = simulation->peer(1).Status().gossip().exchanges_answered();
  EXPECT_TRUE(simulation->RunUntil(
      [&] { return simulation->peer(0).phase() == v1::PHASE_FINISHED; }, absl::Minutes(5)));
  EXPECT_GT(simulation->peer(1).Status().gossip().exchanges_answered(), answered);
  const v1::Status status = simulation->peer(0).Status();
  EXPECT_EQ(status.training().step(), 500u);
  EXPECT_TRUE(status.training().evaluated());
  ExpectNoComplaints(*simulation);
}

class AveragingTest : public ::testing::TestWithParam<const char*> {};

TEST_P(AveragingTest, GlobalRoundsCompleteAndKeepTheMean) {
  for (const uint64_t seed : kSeeds) {
    SimulationOptions options;
    options.seed = seed;
    options.algorithm = GetParam();
    options.learn = false;
    // Often, so that exchanges still move a lot while rounds are underway.
    options.averaging_period_steps = 50;
    auto simulation = Build(options);
    AwaitTraining(*simulation);
    EXPECT_GT(simulation->ConsensusDistance(), 1);
    simulation->RunFor(absl::Seconds(30));
    for (const SimPeer* peer : simulation->living()) {
      const v1::AveragingStatus status = peer->Status().averaging();
      EXPECT_GT(status.rounds_complete(), 2u);
      EXPECT_EQ(status.shards_missed(), 0u);
    }
    EXPECT_LT(simulation->ConsensusDistance(), 1e-4);
    EXPECT_LT(simulation->conservation().relative_drift(), 1e-5);
    ExpectNoComplaints(*simulation, {"consensus:"});
  }
}

INSTANTIATE_TEST_SUITE_P(WithAndWithoutGossip, AveragingTest,
                         ::testing::Values("none", "elastic_gossip:alpha=0.05,p=1"),
                         [](const auto& info) {
                           return info.index == 0 ? "Without" : "With";
                         });

TEST(SimulationTest, GlobalRoundsSurviveABadNetworkAndADeath) {
  for (const uint64_t seed : kSeeds) {
    SimulationOptions options;
    options.seed = seed;
    options.network = Faulty(0.1, 0.1);
    options.averaging_period_steps = 250;
    auto simulation = Build(options);
    simulation->RunFor(absl::Seconds(12));
    simulation->Crash(3);
    simulation->RunFor(absl::Seconds(48));
    uint64_t joined = 0;
    for (const SimPeer* peer : simulation->living()) {
      joined += peer->Status().averaging().rounds_joined();
    }
    EXPECT_GT(joined, 30u);
    EXPECT_LT(simulation->DistanceFromOptimum(), 1.5);
    ExpectNoComplaints(*simulation);
    ExpectEverybodyTrains(*simulation);
  }
}

TEST(SimulationTest, ABadOptionIsNamed) {
  SimulationOptions options;
  options.algorithm = "elastic_gosip";
  const auto simulation = Simulation::Create(options);
  ASSERT_FALSE(simulation.ok());
  EXPECT_NE(simulation.status().message().find("elastic_gossip"), absl::string_view::npos);
}

}  // namespace
}  // namespace starling
