// Checkers must be able to complain: each is shown a swarm in which its rule is broken, and one in
// which it is not. And what else a simulation offers to those that measure.

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "model/quadratic_model.h"
#include "peer/peer.h"
#include "tests/sim/answer_checker.h"
#include "tests/sim/life_checkers.h"
#include "tests/sim/quiet_life.h"
#include "tests/sim/safety_then_healing.h"
#include "tests/sim/simulation_testing.h"

namespace starling {
namespace {

bool Complains(const Simulation& simulation, absl::string_view checker) {
  for (const auto& each : simulation.checkers()) {
    if (each->name() == checker) return !each->complaints().empty();
  }
  ADD_FAILURE() << "no checker is called " << checker;
  return false;
}

SimulationOptions Agreeing() {
  SimulationOptions options;
  options.learn = false;
  options.start = SimulationOptions::Start::kEqual;
  options.algorithm = "elastic_gossip:p=1";
  return options;
}

TEST(CheckersTest, APeerWithNanIsNotFinite) {
  SimulationOptions options;
  options.learn = false;
  options.algorithm = "none";  // who learns from NaN, or is to share it, goes back at once
  auto simulation = Build(options);
  simulation->RunFor(absl::Seconds(5));
  EXPECT_FALSE(Complains(*simulation, "finite"));
  simulation->Poison(1, std::nanf(""));
  simulation->RunFor(absl::Seconds(1));
  EXPECT_TRUE(Complains(*simulation, "finite"));
}

TEST(CheckersTest, AgreementIsKeptOnABadNetworkAndAnIntruderIsNoticed) {
  SimulationOptions options = Agreeing();
  options.network = Faulty(0.1, 0.1);
  auto simulation = Build(options);
  simulation->RunFor(absl::Seconds(20));
  EXPECT_GT(simulation->TotalGossip().exchanges_committed(), 100u);
  ExpectNoComplaints(*simulation);
  simulation->Poison(1, 3);
  simulation->RunFor(absl::Seconds(1));
  EXPECT_TRUE(Complains(*simulation, "agreement"));
}

TEST(CheckersTest, ExchangesThatDoNotEndAreNoticed) {
  SimulationOptions options;
  // The bound is computed from what peers were given; here they are given more.
  options.adjust_peer = [](int, PeerOptions& peer) {
    peer.gossip.timing.floor = peer.gossip.timing.ceiling = absl::Minutes(10);
  };
  options.algorithm = "elastic_gossip:p=1";
  auto simulation = Build(options);
  AwaitTraining(*simulation);
  simulation->RunFor(EndBound(options) + absl::Seconds(2));
  EXPECT_FALSE(Complains(*simulation, "ends"));
  // Membership's calls pass, frames do not get far: every payload is too big for the line.
  for (int node = 0; node < options.peers; ++node) simulation->SetBandwidth(node, {1e-3, 1e-3});
  simulation->RunFor(EndBound(options) + absl::Seconds(5));
  EXPECT_TRUE(Complains(*simulation, "ends"));
}

TEST(CheckersTest, ATrainerThatWaitsForARoundBeyondItsDeadlineIsNoticed) {
  SimulationOptions options;
  options.algorithm = "allreduce_sgd";
  options.rounds.timing = {absl::Milliseconds(500), absl::Seconds(2)};
  bool patient = false;
  // Again the bounds are computed from what peers were said to be given.
  options.adjust_peer = [&patient](int, PeerOptions& peer) {
    if (patient) peer.rounds.timing.floor = peer.rounds.timing.ceiling = absl::Minutes(10);
  };
  for (const bool broken : {false, true}) {
    patient = broken;
    auto simulation = Build(options);
    AwaitTraining(*simulation);
    for (int node = 0; node < options.peers; ++node) simulation->SetBandwidth(node, {1e-3, 1e-3});
    simulation->RunFor(EndBound(options) + absl::Seconds(5));
    EXPECT_EQ(Complains(*simulation, "progress"), broken);
    EXPECT_EQ(Complains(*simulation, "ends"), broken);
  }
}

TEST(CheckersTest, WhoAnswersAndStaysDeadIsNoticed) {
  for (const bool broken : {false, true}) {
    SimulationOptions options;
    options.learn = false;
    options.coordinator = false;
    // The bound is computed from what peers were said to be given: the dead are never called again.
    options.adjust_peer = [broken](int, PeerOptions& peer) {
      if (broken) peer.membership.heal_interval = absl::Hours(20);
    };
    auto simulation = Build(options);
    AwaitTraining(*simulation);
    simulation->Partition({0, 1, 2}, {3, 4, 5});
    simulation->RunFor(absl::Minutes(1));
    EXPECT_FALSE(Complains(*simulation, "answers"));
    simulation->Heal();
    simulation->RunFor(AnswerBound(options, absl::Minutes(1)) + absl::Seconds(5));
    EXPECT_EQ(Complains(*simulation, "answers"), broken);
    EXPECT_FALSE(Complains(*simulation, "memory"));
  }
}

SimulationOptions Quiet(const char* algorithm) {
  SimulationOptions options;
  options.algorithm = algorithm;
  options.learn = false;
  options.steps = 30;
  return options;
}

TEST(QuietLifeTest, SumsAndWeightsAreKeptAndAnIntruderIsNoticed) {
  for (const char* algorithm : {"dpsgd", "sgp", "osgp", "gossip_pga", "decentlam"}) {
    auto quiet = Build(Quiet(algorithm));
    EXPECT_EQ(RunQuietLife(*quiet, QuietLifeOptions()), std::vector<std::string>()) << algorithm;
    auto disturbed = Build(Quiet(algorithm));
    bool poisoned = false;
    disturbed->EverySteps(20, [&](const Simulation&) {
      if (!std::exchange(poisoned, true)) disturbed->Poison(1, 3);
    });
    EXPECT_FALSE(RunQuietLife(*disturbed, QuietLifeOptions()).empty()) << algorithm;
  }
}

TEST(QuietLifeTest, WhoVanishesIsMissed) {
  auto simulation = Build(Quiet("local_sgd:tau=5"));
  bool gone = false;
  simulation->EverySteps(1, [&](const Simulation&) {
    if (!std::exchange(gone, true)) simulation->Pause(1);
  });
  const std::vector<std::string> wrong = RunQuietLife(*simulation, QuietLifeOptions());
  EXPECT_FALSE(wrong.empty());
}

TEST(SafetyThenHealingTest, AHealthySwarmPassesAndOneThatCannotMixFails) {
  SimulationOptions options;
  options.learn = false;
  options.network = Faulty(0.1, 0.1);
  SafetyThenHealingOptions life;
  auto healthy = Build(options);
  EXPECT_EQ(RunSafetyThenHealing(*healthy, life), std::vector<std::string>());

  auto mute = Build(options);
  for (int node = 0; node < options.peers; ++node) mute->SetBandwidth(node, {1e-3, 1e-3});
  const std::vector<std::string> wrong = RunSafetyThenHealing(*mute, life);
  EXPECT_FALSE(wrong.empty());
}

TEST(SimulationOptionsTest, AnyModelCanBeTrained) {
  SimulationOptions options;
  int made = 0;
  options.make_model = [&](uint64_t seed) {
    ++made;
    return std::make_unique<QuadraticModel>(20, 40, seed);
  };
  options.model_name = "half";
  auto simulation = Build(options);
  simulation->RunFor(absl::Seconds(10));
  EXPECT_EQ(simulation->workload().parameters, 20u);
  EXPECT_EQ(simulation->peer(0).parameters().size(), 20u);
  EXPECT_EQ(made, 1 + 2 * options.peers);
  EXPECT_TRUE(std::isnan(simulation->DistanceFromOptimum()));
  EXPECT_LT(simulation->ConsensusDistance(), 1);
  ExpectNoComplaints(*simulation);
}

TEST(SimulationOptionsTest, SlownessIsEachNodesOwn) {
  SimulationOptions options;
  options.slowness = {1, 4, 0.5};
  auto simulation = Build(options);
  AwaitTraining(*simulation);
  simulation->RunFor(absl::Seconds(30));
  const auto steps = [&](int node) { return static_cast<double>(simulation->peer(node).steps()); };
  EXPECT_NEAR(steps(0) / steps(1), 4, 0.2);
  EXPECT_NEAR(steps(2) / steps(0), 2, 0.1);
  EXPECT_NEAR(steps(3) / steps(0), 1, 0.05);
  ExpectNoComplaints(*simulation);
}

TEST(SimulationTest, CurvesAreTakenByTimeAndBySteps) {
  auto simulation = Build(SimulationOptions());
  std::vector<absl::Duration> times;
  std::vector<uint64_t> steps;
  simulation->Every(absl::Seconds(2), [&](const Simulation& seen) {
    times.push_back(seen.elapsed());
  });
  simulation->EverySteps(100, [&](const Simulation& seen) { steps.push_back(seen.TotalSteps()); });
  simulation->RunFor(absl::Seconds(7));
  EXPECT_EQ(times, (std::vector<absl::Duration>{absl::Seconds(2), absl::Seconds(4),
                                                absl::Seconds(6)}));
  ASSERT_GT(steps.size(), 5u);
  for (size_t i = 0; i < steps.size(); ++i) EXPECT_EQ(steps[i], 100 * (i + 1));
}

TEST(SimulationTest, TrafficIsCounted) {
  SimulationOptions options;
  options.algorithm = "elastic_gossip:p=1";
  auto simulation = Build(options);
  simulation->RunFor(absl::Seconds(10));
  const SimTraffic total = simulation->TotalTraffic();
  const v1::GossipStatus gossip = simulation->TotalGossip();
  EXPECT_EQ(total.payload_bytes, gossip.bytes_sent());
  EXPECT_GT(total.frame_bytes, total.payload_bytes);
  EXPECT_EQ(total.frames, simulation->network().counters().frames);
  EXPECT_GT(total.call_bytes, 0u);
  SimTraffic sum;
  for (const SimPeer* peer : simulation->living()) sum += peer->traffic();
  EXPECT_EQ(sum.bytes(), total.bytes());
  simulation->Crash(1);
  EXPECT_EQ(simulation->TotalTraffic().messages(), total.messages());
}

TEST(SimulationTest, WithoutCheckersNothingIsLookedAt) {
  SimulationOptions options;
  options.check = false;
  auto simulation = Build(options);
  simulation->RunFor(absl::Seconds(5));
  simulation->Crash(1);
  EXPECT_TRUE(simulation->checkers().empty());
  EXPECT_TRUE(simulation->complaints().empty());
}

}  // namespace
}  // namespace starling
