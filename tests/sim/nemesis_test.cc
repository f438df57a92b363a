// Each fault that the nemesis has beyond those of churn_test, one by one: what it does to a swarm, and that the
// swarm gets over it.

#include "tests/sim/nemesis.h"

#include "gtest/gtest.h"
#include "tests/sim/partitions.h"
#include "tests/sim/simulation_testing.h"

namespace starling {
namespace {

class NemesisTest : public ::testing::TestWithParam<uint64_t> {
 protected:
  std::unique_ptr<Simulation> Swarm(bool coordinator = true) {
    SimulationOptions options;
    options.seed = GetParam();
    options.learn = false;
    options.coordinator = coordinator;
    options.odd_clocks = true;
    auto simulation = Build(options);
    AwaitTraining(*simulation);
    simulation->RunFor(absl::Seconds(5));
    return simulation;
  }

  void ExpectAllWell(Simulation& simulation) {
    Settle(simulation);
    ExpectEverybodyTrains(simulation);
    ExpectNoComplaints(simulation);
  }
};

TEST_P(NemesisTest, EveryKindOfPartitionIsSurvivedAndHealed) {
  for (const PartitionKind kind : kPartitionKinds) {
    SCOPED_TRACE(std::string(NameOf(kind)));
    auto simulation = Swarm(/*coordinator=*/false);
    for (const auto& [from, to] : CutsOf(kind, {0, 1, 2, 3, 4, 5})) simulation->Cut({from}, {to});
    simulation->RunFor(absl::Seconds(60));
    simulation->Heal();
    ExpectAllWell(*simulation);
  }
}

TEST_P(NemesisTest, WhoeverComesBackWithAnOldIncarnationNoticesAndEnds) {
  for (const absl::Duration absence : {absl::Milliseconds(100), absl::Seconds(30)}) {
    auto simulation = Swarm();
    simulation->Crash(2);
    simulation->RunFor(absence);
    simulation->Restart(2, Simulation::Memory::kOldIncarnation);
    // The first incarnation has none below it.
    simulation->RunFor(absl::Seconds(1));
    if (simulation->nodes()[2].process != nullptr) {
      simulation->Crash(2);
      simulation->RunFor(absence);
      simulation->Restart(2, Simulation::Memory::kOldIncarnation);
    }
    EXPECT_TRUE(simulation->RunUntil(
        [&] { return simulation->nodes()[2].process == nullptr; }, absl::Seconds(30)));
    EXPECT_EQ(simulation->superseded(), 1u);
    simulation->Restart(2);
    ExpectAllWell(*simulation);
  }
}

TEST_P(NemesisTest, OfTwoProcessesWithOneIdTheOlderEnds) {
  auto simulation = Swarm();
  const int clone = simulation->Clone(2);
  EXPECT_TRUE(simulation->RunUntil([&] { return simulation->nodes()[2].process == nullptr; },
                                   absl::Seconds(30)));
  EXPECT_EQ(simulation->superseded(), 1u);
  EXPECT_NE(simulation->nodes()[clone].process, nullptr);
  ExpectAllWell(*simulation);
}

TEST_P(NemesisTest, AClockThatLeapsCostsNobodyItsPlace) {
  auto simulation = Swarm();
  for (const absl::Duration leap : {absl::Seconds(1), absl::Minutes(10), absl::Hours(50)}) {
    simulation->LeapClock(3, leap);
    simulation->RunFor(absl::Seconds(20));
  }
  ExpectAllWell(*simulation);
}

TEST_P(NemesisTest, SavedPeersFindTheSwarmWithoutSeedsThatLive) {
  SimulationOptions options;
  options.seed = GetParam();
  options.peers = 4;
  options.coordinator = false;
  auto simulation = Build(options);
  AwaitTraining(*simulation);
  simulation->RunFor(absl::Seconds(5));
  simulation->Crash(3);
  simulation->Restart(3, Simulation::Memory::kAll);
  EXPECT_EQ(simulation->nodes()[3].known.size(), 3u);
  ExpectAllWell(*simulation);
}

// It began from the seed, for it could reach the coordinator alone; then, in one view, it hears of the
// others and that they are far ahead.
TEST_P(NemesisTest, WhoeverFindsTheSwarmWhileItMustersForRoundsCopiesIt) {
  SimulationOptions options;
  options.seed = GetParam();
  options.peers = 2;
  options.algorithm = "local_sgd:tau=5";
  auto simulation = Build(options);
  AwaitTraining(*simulation);
  simulation->RunFor(absl::Seconds(5));
  simulation->Crash(1);
  simulation->Partition({0}, {1});
  simulation->Restart(1);
  EXPECT_TRUE(simulation->RunUntil(
      [&] { return simulation->peer(1).phase() == v1::PHASE_TRAINING; }, absl::Seconds(20)));
  EXPECT_EQ(simulation->peer(1).steps(), 0u);
  simulation->Heal();
  ExpectAllWell(*simulation);
  EXPECT_GT(simulation->peer(1).Status().training().step(), simulation->peer(1).steps() + 100);
}

TEST_P(NemesisTest, ACoordinatorThatLostItsStateStopsNobodyAndItsSuccessorIsFollowed) {
  SimulationOptions options;
  options.seed = GetParam();
  options.averaging_period_steps = 100;
  auto simulation = Build(options);
  AwaitTraining(*simulation);
  simulation->RunFor(absl::Seconds(10));
  simulation->StopCoordinator();
  simulation->StartCoordinator(/*with_lost_state=*/true);
  simulation->RunFor(absl::Seconds(20));
  ExpectEverybodyTrains(*simulation);
  simulation->StopCoordinator();
  simulation->StartCoordinator();
  Settle(*simulation);
  const uint64_t rounds = simulation->peer(0).Status().averaging().rounds_complete();
  simulation->RunFor(absl::Seconds(20));
  EXPECT_GT(simulation->peer(0).Status().averaging().rounds_complete(), rounds);
  ExpectAllWell(*simulation);
}

TEST_P(NemesisTest, TwoCoordinatorsAtOnceStopNobody) {
  SimulationOptions options;
  options.seed = GetParam();
  options.averaging_period_steps = 100;
  auto simulation = Build(options);
  AwaitTraining(*simulation);
  simulation->RunFor(absl::Seconds(10));
  simulation->StartAnotherCoordinator();
  EXPECT_EQ(simulation->coordinators(), 2u);
  EXPECT_FALSE(simulation->calm_since().has_value());
  simulation->RunFor(absl::Seconds(30));
  ExpectEverybodyTrains(*simulation);
  simulation->StopFirstCoordinator();
  ExpectAllWell(*simulation);
}

TEST_P(NemesisTest, ASwarmWithSeedsTrainsWhoseCoordinatorWasNeverStarted) {
  SimulationOptions options;
  options.seed = GetParam();
  options.seeds_beside_coordinator = true;
  options.coordinator_from_start = false;
  auto simulation = Build(options);
  AwaitTraining(*simulation);
  ExpectAllWell(*simulation);
  simulation->StartCoordinator();
  ExpectAllWell(*simulation);
  for (const SimPeer* peer : simulation->living()) {
    EXPECT_TRUE(peer->Status().coordinator().connected());
  }
}

TEST_P(NemesisTest, FramesThatComeAgainMinutesLaterChangeNothing) {
  SimulationOptions options;
  options.seed = GetParam();
  options.learn = false;
  options.algorithm = "elastic_gossip:p=1";
  options.network.replay = 0.5;
  options.network.replay_after = absl::Seconds(30);
  auto simulation = Build(options);
  simulation->RunFor(absl::Seconds(30));
  simulation->Crash(2);
  simulation->Restart(2);
  simulation->RunFor(absl::Seconds(60));
  EXPECT_GT(simulation->network().counters().replayed, 1000u);
  simulation->SetNetwork(SimNetworkOptions());
  ExpectAllWell(*simulation);
}

TEST_P(NemesisTest, AllOfThemAtOnceAreSurvived) {
  SimulationOptions options;
  options.seed = GetParam();
  options.learn = false;
  options.seeds_beside_coordinator = true;
  options.odd_clocks = true;
  auto simulation = Build(options);
  AwaitTraining(*simulation);
  NemesisOptions trouble;
  trouble.interval = absl::Seconds(1);
  trouble.length = absl::Seconds(10);
  Nemesis nemesis(*simulation, trouble, Random(GetParam()).Split("nemesis"));
  nemesis.RunFor(absl::Minutes(5));
  EXPECT_GT(nemesis.done().size(), 15u);
  for (int node = 0; node < static_cast<int>(simulation->nodes().size()); ++node) {
    const Simulation::Node& each = simulation->nodes()[node];
    if (each.process == nullptr && !each.departed && !each.cloned) simulation->Restart(node);
  }
  ExpectAllWell(*simulation);
}

INSTANTIATE_TEST_SUITE_P(Seeds, NemesisTest, ::testing::ValuesIn(kSeeds));

}  // namespace
}  // namespace starling
