// Peers and coordinators that die, come, go, stand still and lose each other; the others go on.

#include <algorithm>
#include <limits>

#include "gtest/gtest.h"
#include "peer/peer.h"
#include "tests/sim/simulation_testing.h"

namespace starling {
namespace {

class ChurnTest : public ::testing::TestWithParam<uint64_t> {
 protected:
  // Without gradients, so that conservation and consensus are judged too.
  std::unique_ptr<Simulation> Swarm(bool coordinator = true) {
    SimulationOptions options;
    options.seed = GetParam();
    options.learn = false;
    options.coordinator = coordinator;
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

TEST_P(ChurnTest, APeerThatDiesIsNoticedAndTheOthersGoOn) {
  auto simulation = Swarm();
  simulation->Crash(2);
  ExpectAllWell(*simulation);
}

TEST_P(ChurnTest, APeerThatIsRestartedComesBackWithTheSwarmsParameters) {
  auto simulation = Swarm();
  simulation->Crash(2);
  simulation->RunFor(absl::Seconds(10));
  simulation->Restart(2);
  Settle(*simulation);
  EXPECT_GT(simulation->peer(2).Status().training().step(), simulation->peer(2).steps());
  ExpectAllWell(*simulation);
}

TEST_P(ChurnTest, WhoWakesUpAnswersNothingBeforeItHasHeardWhatBecameOfTheSwarm) {
  auto simulation = Swarm();
  simulation->Pause(2);
  // Whoever gives it up drops what is on its way.
  simulation->RunFor(absl::Seconds(1));
  const v1::GossipStatus before = simulation->peer(2).Status().gossip();
  simulation->Resume(2);
  simulation->RunFor(absl::Microseconds(1));  // what has piled up; nobody's answer comes that soon
  const v1::GossipStatus after = simulation->peer(2).Status().gossip();
  EXPECT_EQ(after.shards_answered(), before.shards_answered());
  EXPECT_EQ(after.exchanges_started(), before.exchanges_started());
  EXPECT_TRUE(std::any_of(after.refused().begin(), after.refused().end(), [](const auto& refused) {
    return refused.reason() == v1::REFUSAL_REASON_NOT_TRAINING;
  })) << after.DebugString();
  ExpectAllWell(*simulation);
  EXPECT_GT(simulation->peer(2).Status().gossip().exchanges_committed(), before.exchanges_committed());
  EXPECT_GT(simulation->peer(2).Status().gossip().shards_answered(), before.shards_answered());
}

// Nobody calls those that left on purpose, and who comes back without a seed calls nobody: only whoever
// was told of the address can bring the two together.
TEST_P(ChurnTest, ASeedThatLeftAndComesBackKnowingNobodyIsFoundAgain) {
  SimulationOptions options;
  options.seed = GetParam();
  options.peers = 3;
  options.coordinator = false;
  options.adjust_peer = [](int node, PeerOptions& peer) {
    peer.seeds.clear();
    if (node > 0) peer.seeds.push_back("peer0:7000");
  };
  auto simulation = Build(options);
  AwaitTraining(*simulation);
  simulation->Leave(0);
  simulation->RunFor(absl::Seconds(5));
  ASSERT_TRUE(simulation->nodes()[0].departed);
  simulation->Restart(0);
  ExpectAllWell(*simulation);
}

// Donors answer at the end of a step, which may be longer than anybody would wait for an answer.
TEST_P(ChurnTest, WhoJoinsASwarmOfLongStepsGetsItsParameters) {
  for (const char* algorithm : {"elastic_gossip", "sgp"}) {  // from several donors, from one
    SimulationOptions options;
    options.seed = GetParam();
    options.algorithm = algorithm;
    options.learn = false;
    options.step_time = absl::Seconds(40);
    options.check = false;  // of steps of 20 ms
    auto simulation = Build(options);
    simulation->RunFor(absl::Minutes(10));
    const SimPeer& newcomer = simulation->peer(simulation->Join());
    EXPECT_TRUE(simulation->RunUntil([&] { return newcomer.steps() > 0; }, absl::Minutes(10)))
        << algorithm;
    EXPECT_GT(newcomer.Status().training().step(), newcomer.steps()) << algorithm;
  }
}

TEST_P(ChurnTest, APeerThatIsRestartedAtOnceReplacesItself) {
  auto simulation = Swarm();
  simulation->Crash(2);
  simulation->RunFor(absl::Milliseconds(100));
  simulation->Restart(2);
  ExpectAllWell(*simulation);
}

TEST_P(ChurnTest, APeerAtTheAddressOfADeadOneIsNotMistakenForIt) {
  auto simulation = Swarm();
  simulation->Crash(2);
  simulation->RunFor(absl::Seconds(5));
  simulation->RestartAsAnother(2);
  Settle(*simulation);
  const uint64_t forgotten = simulation->network().counters().forgotten;
  const uint64_t committed = simulation->peer(2).Status().gossip().exchanges_committed();
  ExpectAllWell(*simulation);
  EXPECT_GT(simulation->peer(2).Status().gossip().exchanges_committed(), committed);
  EXPECT_EQ(simulation->network().counters().forgotten, forgotten);
}

TEST_P(ChurnTest, ANewcomerThatFindsTheSwarmLateTakesItsParametersAllTheSame) {
  auto simulation = Swarm();
  simulation->StopCoordinator();
  const int newcomer = simulation->Join();
  simulation->RunFor(absl::Seconds(10));
  EXPECT_EQ(simulation->peer(newcomer).phase(), v1::PHASE_WAITING);
  simulation->StartCoordinator();
  EXPECT_TRUE(simulation->RunUntil([&] { return simulation->peer(newcomer).trained(); },
                                   absl::Minutes(1)));
  EXPECT_GT(simulation->peer(newcomer).Status().training().step(), 500u);
  ExpectAllWell(*simulation);
}

TEST_P(ChurnTest, ANewcomerTakesOverADonorsParametersAndTrains) {
  auto simulation = Swarm();
  const int newcomer = simulation->Join();
  ExpectAllWell(*simulation);
  const v1::Status status = simulation->peer(newcomer).Status();
  EXPECT_GT(status.training().step(), simulation->peer(newcomer).steps() + 100);
  EXPECT_GT(status.gossip().exchanges_committed(), 0u);
}

TEST_P(ChurnTest, ANewcomerGetsInOverABadNetwork) {
  auto simulation = Swarm();
  simulation->SetNetwork(Faulty(0.2, 0.2));
  const int newcomer = simulation->Join();
  EXPECT_TRUE(simulation->RunUntil([&] { return simulation->peer(newcomer).steps() > 0; },
                                   absl::Minutes(1)));
  simulation->SetNetwork(SimNetworkOptions());
  ExpectAllWell(*simulation);
}

TEST_P(ChurnTest, APeerLeavesInGoodOrderAndNothingIsLost) {
  auto simulation = Swarm();
  simulation->Leave(4);
  EXPECT_TRUE(simulation->RunUntil([&] { return simulation->nodes()[4].departed; },
                                   absl::Seconds(10)));
  ExpectAllWell(*simulation);
  const v1::Status status = simulation->peer(0).Status();
  for (const v1::PeerStatus& row : status.peers()) {
    if (row.address() == simulation->nodes()[4].address) {
      EXPECT_EQ(row.state(), v1::PEER_STATE_LEFT);
    }
  }
  EXPECT_EQ(simulation->TotalGossip().orphaned_deltas(), 0u);
}

TEST_P(ChurnTest, APeerThatStandsStillStopsNobodyAndIsWelcomeBack) {
  auto simulation = Swarm();
  simulation->Pause(1);
  simulation->RunFor(absl::Seconds(20));
  simulation->Resume(1);
  ExpectAllWell(*simulation);
}

TEST_P(ChurnTest, AShortStandstillIsForgiven) {
  auto simulation = Swarm();
  for (int i = 0; i < 10; ++i) {
    simulation->Pause(i % 6);
    simulation->RunFor(absl::Milliseconds(700));
    simulation->Resume(i % 6);
    simulation->RunFor(absl::Milliseconds(500));
  }
  ExpectAllWell(*simulation);
}

TEST_P(ChurnTest, ACoordinatorThatDiesStopsNobody) {
  auto simulation = Swarm();
  simulation->StopCoordinator();
  ExpectAllWell(*simulation);
}

TEST_P(ChurnTest, ACoordinatorThatComesBackWithoutMemoryFindsItsPeersAgain) {
  auto simulation = Swarm();
  simulation->StopCoordinator();
  simulation->RunFor(absl::Seconds(20));
  simulation->StartCoordinator();
  ExpectAllWell(*simulation);
  for (const SimPeer* peer : simulation->living()) {
    EXPECT_TRUE(peer->Status().coordinator().connected());
  }
}

TEST_P(ChurnTest, ACoordinatorThatWakesUpWithOldMemoryFindsItsPeersAgain) {
  auto simulation = Swarm();
  simulation->PauseCoordinator();
  simulation->RunFor(absl::Seconds(20));
  simulation->Crash(3);
  simulation->RunFor(absl::Seconds(10));
  simulation->ResumeCoordinator();
  ExpectAllWell(*simulation);
  for (const SimPeer* peer : simulation->living()) {
    EXPECT_TRUE(peer->Status().coordinator().connected());
  }
}

TEST_P(ChurnTest, ANewcomerGetsInWhileTheCoordinatorIsDead) {
  auto simulation = Swarm(/*coordinator=*/false);
  const int newcomer = simulation->Join();
  ExpectAllWell(*simulation);
  EXPECT_GT(simulation->peer(newcomer).steps(), 0u);
}

TEST_P(ChurnTest, HalvesOfAPartitionGoOnAndFindEachOther) {
  auto simulation = Swarm();
  simulation->Partition({0, 1, 2}, {3, 4, 5});
  simulation->CutCoordinator({3, 4, 5});
  simulation->RunFor(absl::Seconds(30));
  simulation->Heal();
  ExpectAllWell(*simulation);
}

TEST_P(ChurnTest, HalvesOfAPartitionWithoutACoordinatorFindEachOther) {
  auto simulation = Swarm(/*coordinator=*/false);
  simulation->Partition({0, 2, 4}, {1, 3, 5});
  simulation->RunFor(absl::Seconds(30));
  simulation->Heal();
  ExpectAllWell(*simulation);
}

TEST_P(ChurnTest, AOneWayCutIsSurvived) {
  auto simulation = Swarm();
  simulation->Cut({0}, {1, 2, 3, 4, 5});
  simulation->RunFor(absl::Seconds(30));
  simulation->Heal();
  ExpectAllWell(*simulation);
}

TEST_P(ChurnTest, EverythingAtOnceIsSurvived) {
  auto simulation = Swarm();
  simulation->SetNetwork(Faulty(0.1, 0.1));
  simulation->Crash(0);
  simulation->Pause(1);
  simulation->StopCoordinator();
  simulation->RunFor(absl::Seconds(10));
  simulation->Join();
  simulation->Restart(0);
  simulation->Partition({2, 3}, {4, 5, 6});
  simulation->RunFor(absl::Seconds(10));
  simulation->Resume(1);
  simulation->StartCoordinator();
  simulation->Leave(5);
  simulation->RunFor(absl::Seconds(10));
  simulation->Heal();
  simulation->SetNetwork(SimNetworkOptions());
  ExpectAllWell(*simulation);
}

TEST_P(ChurnTest, APeerThatDivergesGoesBackAndTheOthersGoOn) {
  SimulationOptions options;
  options.seed = GetParam();
  auto simulation = Build(options);
  simulation->RunFor(absl::Seconds(10));
  simulation->Poison(3, std::numeric_limits<float>::infinity());
  simulation->RunFor(absl::Seconds(10));
  EXPECT_EQ(simulation->peer(3).Status().recovery().rollbacks(), 1u);
  Settle(*simulation);
  ExpectEverybodyTrains(*simulation);
  ExpectNoComplaints(*simulation, {"finite: "});
}

INSTANTIATE_TEST_SUITE_P(Seeds, ChurnTest, ::testing::ValuesIn(kSeeds));

}  // namespace
}  // namespace starling
