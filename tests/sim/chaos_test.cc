// A hard life at random, and after it a swarm that is whole again.

#include "gtest/gtest.h"
#include "tests/sim/chaos.h"
#include "tests/sim/simulation_testing.h"

namespace starling {
namespace {

class ChaosTest : public ::testing::TestWithParam<uint64_t> {};

void SurviveAndRecover(SimulationOptions options) {
  auto simulation = Build(options);
  AwaitTraining(*simulation);
  RunChaos(*simulation, absl::Minutes(3), absl::Seconds(2), Random(options.seed).Split("chaos"));
  simulation->SetNetwork(SimNetworkOptions());
  Settle(*simulation);
  ExpectEverybodyTrains(*simulation);
  simulation->conservation().MarkUnderway();
  simulation->RunFor(absl::Minutes(1));
  simulation->conservation().ExpectOrphansCounted(*simulation);
  ExpectNoComplaints(*simulation);
}

TEST_P(ChaosTest, SwarmOnAGoodNetworkRecovers) {
  SimulationOptions options;
  options.seed = GetParam();
  options.learn = false;
  SurviveAndRecover(options);
}

TEST_P(ChaosTest, SwarmOnABadNetworkRecovers) {
  SimulationOptions options;
  options.seed = GetParam();
  options.learn = false;
  options.network = Faulty(0.05, 0.05);
  options.network.corruption = 0.02;
  SurviveAndRecover(options);
}

TEST_P(ChaosTest, SwarmWithoutACoordinatorRecovers) {
  SimulationOptions options;
  options.seed = GetParam();
  options.learn = false;
  options.coordinator = false;
  SurviveAndRecover(options);
}

TEST_P(ChaosTest, SwarmThatLearnsAndAveragesRecovers) {
  SimulationOptions options;
  options.seed = GetParam();
  options.averaging_period_steps = 200;
  options.stragglers = 1;
  SurviveAndRecover(options);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ChaosTest, ::testing::Range<uint64_t>(1, 6));

}  // namespace
}  // namespace starling
