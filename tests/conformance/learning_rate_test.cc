// The effective learning rate (C21): with the constant gradient 1 everywhere and plain SGD, how far
// does the swarm go per local step? As far as one worker does, unless the algorithm says otherwise.
// Catches every way of losing or doubling steps that are made while numbers travel.

#include <algorithm>
#include <string>

#include "gtest/gtest.h"
#include "peer/gossip/elastic_controller.h"
#include "peer/gossip/elastic_mix.h"
#include "peer/gossip/pull_mix.h"
#include "peer/gossip/push_mix.h"
#include "peer/gossip/push_sum_mix.h"
#include "peer/gossip/staleness_mix.h"
#include "peer/topology/everyone.h"
#include "peer/topology/exponential.h"
#include "peer/topology/exponential_pairs.h"
#include "peer/topology/groups.h"
#include "peer/topology/random_pairs.h"
#include "peer/topology/ring.h"
#include "tests/conformance/lockstep.h"
#include "tests/conformance/pair_swarm.h"
#include "tests/conformance/recipes.h"

namespace starling {
namespace {

constexpr size_t kWorkers = 4;
constexpr double kRate = 0.01;

// Of the mean of the workers that learn, in units of the rate, once the beginning is forgotten.
template <typename Swarm>
double RateOf(Swarm& swarm, size_t learners) {
  constexpr uint64_t kSteps = 600;
  constexpr uint64_t kForgotten = 3000;
  auto mean = [&] {
    double sum = 0;
    for (size_t i = 0; i < learners; ++i) sum += swarm.x()[i][0];
    return sum / static_cast<double>(learners);
  };
  swarm.Run(kForgotten);
  const double before = mean();
  swarm.Run(kSteps);
  return (before - mean()) / (kSteps * kRate);
}

double RateOf(const RoundSpec& spec) {
  Lockstep swarm({.local = {.rate = kRate}, .rounds = {spec}}, ConstantGradients(kWorkers, 1),
                 ScatteredStart(kWorkers, 4, 1));
  return RateOf(swarm, kWorkers);
}

RoundSpec Late(RoundSpec spec, uint64_t delay) {
  spec.delay = delay;
  return spec;
}

TEST(LearningRateTest, RoundsKeepItInFullWhateverTheOverlap) {
  for (const auto& topology :
       {Shared(MakeEveryone()), Shared(MakeRing()), Shared(MakeOnePeerExponential()),
        Shared(MakeHypercube()), Shared(MakeRandomMatching()), Shared(MakeRandomDerangement()),
        Shared(MakeRandomGroups(2))}) {
    for (const uint64_t delay : {uint64_t{0}, uint64_t{1}, uint64_t{3}, RoundSpec::kBackground}) {
      EXPECT_NEAR(RateOf(Late(Gossip(topology), delay)), 1, 1e-3) << topology->name();
    }
    RoundSpec pga = Gossip(topology);
    pga.global_every = 6;
    EXPECT_NEAR(RateOf(pga), 1, 1e-3) << topology->name();
    RoundSpec gradients = Gossip(topology);
    gradients.payload = RoundSpec::Payload::kGradient;
    EXPECT_NEAR(RateOf(gradients), 1, 1e-3) << topology->name();
  }
}

TEST(LearningRateTest, PushSumKeepsIt) {
  EXPECT_NEAR(RateOf(PushSum(MakeRandomPush())), 1, 1e-3);
  EXPECT_NEAR(RateOf(Late(PushSum(MakeRandomPush()), 2)), 1, 1e-3);
}

TEST(LearningRateTest, OverwritingHalvesIt) {
  RoundSpec spec = Late(Gossip(MakeHypercube()), 1);
  spec.outer = [](size_t, bool) { return MakeOverwriteOuter(); };
  EXPECT_NEAR(RateOf(spec), 0.5, 1e-3);
}

TEST(LearningRateTest, OuterMomentumMultipliesIt) {
  const auto everyone = Shared(MakeEveryone());
  const auto diloco = [](size_t n) { return MakeNesterovOuter(n, 0.7, 0.9, 0); };
  EXPECT_NEAR(RateOf(Outer(everyone, 5, diloco)), 0.7 / (1 - 0.9), 1e-2);
  EXPECT_NEAR(RateOf(Outer(everyone, 1, diloco)), 0.7 / (1 - 0.9), 1e-2);
  EXPECT_NEAR(RateOf(Outer(everyone, 5, [](size_t n) { return MakeSlowMomentumOuter(n, 0.5, 1); })),
              1 / (1 - 0.5), 1e-3);
  EXPECT_NEAR(
      RateOf(Outer(everyone, 5, [](size_t n) { return MakeNoLoCoOuter(n, 0.5, 0.7, 0.7); })),
      0.7 / (1 - 0.5), 1e-3);
  EXPECT_NEAR(RateOf(Outer(Shared(MakeRandomMatching()), 5,
                           [](size_t n) { return MakeGaslocOuter(n, 0.8, 1, 0.3); })),
              0.8 / (1 - 0.3), 1e-3);
  const auto decentlam = [](size_t n) { return MakeSlowMomentumOuter(n, 0.9, 1); };
  EXPECT_NEAR(RateOf(Outer(Shared(MakeRing()), 1, decentlam)), 1 / (1 - 0.9), 1e-2)
      << "DecentLaM";
}

// Who keeps a share a of where it was between two merges lags behind its anchor, and the outer
// optimizer sees the lag as progress. With k = rate / (1 - momentum): k / (1 - a + k a).
TEST(LearningRateTest, MergingByHalvesDampsWhatOuterMomentumMultiplies) {
  for (const double keep : {0.25, 0.5}) {
    const double k = 0.7 / (1 - 0.9);
    EXPECT_NEAR(RateOf(Outer(Shared(MakeEveryone()), 5,
                             [=](size_t n) { return MakeNesterovOuter(n, 0.7, 0.9, keep); })),
                k / (1 - keep + k * keep), 5e-3)
        << keep;
  }
}

double RateOf(std::shared_ptr<const MixRule> rule, std::shared_ptr<const PeerSelector> selector,
              size_t centres, double p) {
  std::vector<Gradient> gradients = ConstantGradients(kWorkers, 1);
  gradients.resize(kWorkers + centres);
  PairSwarm swarm({.local = {.rate = kRate},
                   .rule = std::move(rule),
                   .selector = std::move(selector),
                   .p = p,
                   .losses = std::vector<double>{0.4, 0.3, 0.2, 0.1, 0}},
                  gradients, ScatteredStart(kWorkers + centres, 4, 1));
  return RateOf(swarm, kWorkers);
}

TEST(LearningRateTest, ExchangesBetweenPairsKeepIt) {
  for (const double p : {0.25, 1.0}) {
    EXPECT_NEAR(RateOf(MakeElasticMix(0.5), MakeUniformSelector(), 0, p), 1, 1e-3);
    EXPECT_NEAR(RateOf(MakeElasticMix(0.1), MakeUniformSelector(), 0, p), 1, 1e-3);
    EXPECT_NEAR(RateOf(MakeStalenessMix(0.5), MakeUniformSelector(), 0, p), 1, 1e-3);
    EXPECT_NEAR(RateOf(MakePullMix(), MakeUniformSelector(), 0, p), 1, 1e-3);
    EXPECT_NEAR(RateOf(MakePushMix(), MakeUniformSelector(), 0, p), 1, 1e-3);
    EXPECT_NEAR(RateOf(MakePushSumMix(), MakeUniformSelector(), 0, p), 1, 1e-3);
    EXPECT_NEAR(RateOf(MakePullMix(0.1), MakeLeaderSelector(2, 4), 0, p), 1, 1e-3);
  }
}

TEST(LearningRateTest, ACentreTakesItsShare) {
  EXPECT_NEAR(RateOf(MakeElasticMix(0.225), MakeCentreSelector(), 1, 1), 4.0 / 5, 1e-3);
  EXPECT_NEAR(RateOf(MakeStalenessMix(0.225), MakeCentreSelector(), 1, 1), 4.0 / 5, 1e-3);
}

// DM-T3: a rate within the momentum must be brought along when the rate changes.
TEST(LearningRateTest, MomentumInUnitsOfTheStepIsTheBufferFormIfItIsScaledWithTheRate) {
  ElasticController controller(
      {.strategy = ElasticOptions::Strategy::kScaleRate, .ramp = 40}, kWorkers);
  const Gradient gradient = Quadratics(1, 6, 1, 7).gradients()[0];
  Values buffer_x = CommonStart(1, 6, 1)[0];
  Values corrected_x = buffer_x;
  Values careless_x = buffer_x;
  Values buffer(6);
  std::vector<double> corrected(6);
  std::vector<double> careless(6);
  double last_rate = 0.02;
  double worst = 0;
  for (uint64_t step = 0; step < 150; ++step) {
    if (step == 30) controller.OnWorkers(step, 12);
    if (step == 90) controller.OnWorkers(step, 2);
    const double rate = 0.02 * controller.RateScale(step);
    LocalStep({.rate = rate, .momentum = 0.9}, gradient(buffer_x), buffer_x, buffer);
    const std::vector<double> g = gradient(corrected_x);
    const std::vector<double> h = gradient(careless_x);
    for (size_t k = 0; k < 6; ++k) {
      corrected[k] = 0.9 * corrected[k] * rate / last_rate - rate * g[k];
      corrected_x[k] = static_cast<float>(corrected_x[k] + corrected[k]);
      careless[k] = 0.9 * careless[k] - rate * h[k];
      careless_x[k] = static_cast<float>(careless_x[k] + careless[k]);
    }
    last_rate = rate;
    ASSERT_LT(Difference({corrected_x}, {buffer_x}), 2e-6) << step;
    worst = std::max(worst, Difference({careless_x}, {buffer_x}));
  }
  EXPECT_GT(worst, 1e-3);
}

}  // namespace
}  // namespace starling
