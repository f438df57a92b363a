// What rounds do to a swarm: SG SGP, GG GossipGraD, PG Gossip-PGA, LA LASGD. DecentLaM and the
// outer optimizers have files of their own.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gtest/gtest.h"
#include "peer/topology/everyone.h"
#include "peer/topology/exponential.h"
#include "peer/topology/exponential_pairs.h"
#include "peer/topology/ring.h"
#include "tests/conformance/lockstep.h"
#include "tests/conformance/recipes.h"

namespace starling {
namespace {

constexpr size_t kDimension = 12;

std::vector<Gradient> NoGradients(size_t workers) { return ConstantGradients(workers, 0); }

// Over all workers, mass times the k-th parameter.
double WeightedSum(const Lockstep& swarm, size_t k) {
  double sum = 0;
  for (size_t i = 0; i < swarm.x().size(); ++i) sum += swarm.mass()[i] * swarm.x()[i][k];
  return sum;
}

double MassOf(const Lockstep& swarm) {
  return std::accumulate(swarm.mass().begin(), swarm.mass().end(), 0.0);
}

// ---- SGP ----------------------------------------------------------------------------------------

TEST(SgpTest, MassStaysAndTheWeightedSumMovesByTheStepsOnly) {  // SG-T1
  constexpr double kRate = 0.05;
  Lockstep swarm({.local = {.rate = kRate}, .rounds = {PushSum(MakeRandomPush())}},
                 ConstantGradients(8, 1), ScatteredStart(8, kDimension, 1));
  for (int step = 0; step < 100; ++step) {
    const double before = WeightedSum(swarm, 3);
    swarm.Step();
    ASSERT_NEAR(MassOf(swarm), 8, 1e-9);
    // A step moves the estimate x by the rate, and hence mass times x by mass times the rate.
    ASSERT_NEAR(WeightedSum(swarm, 3), before - 8 * kRate, 1e-5);
  }
}

TEST(SgpTest, RandomPushesFindTheInitialMeanWithTheMassesAndNotWithout) {  // SG-T2
  double error[2] = {0, 0};
  for (const bool weighted : {false, true}) {
    RoundSpec spec = PushSum(MakeRandomPush());
    spec.moves_mass = weighted;
    const std::vector<Values> start = ScatteredStart(8, kDimension, 1);
    Lockstep swarm({.rounds = {spec}}, NoGradients(8), start);
    swarm.Run(300);
    EXPECT_LT(Spread(swarm.x()), 1e-9);
    for (size_t k = 0; k < kDimension; ++k) {
      error[weighted] =
          std::max(error[weighted], std::abs(Mean(swarm.x())[k] - Mean(start)[k]));
    }
  }
  RecordProperty("without_masses", std::to_string(error[0]));
  EXPECT_GT(error[0], 0.05);
  EXPECT_LT(error[1], 1e-5);
}

TEST(SgpTest, OnePeerExponentialIsExactAfterTheLogarithmOfN) {  // SG-T3
  for (const size_t n : {2, 4, 8, 16}) {
    const std::vector<Values> start = ScatteredStart(n, kDimension, 1);
    Lockstep swarm({.rounds = {PushSum(MakeOnePeerExponential())}}, NoGradients(n), start);
    uint64_t rounds = 0;
    while ((size_t{1} << rounds) < n) ++rounds;
    swarm.Run(rounds - 1);
    EXPECT_GT(Spread(swarm.x()), 1e-3) << n;
    swarm.Step();
    EXPECT_LT(Spread(swarm.x()), 1e-12) << n;
    EXPECT_NEAR(Mean(swarm.x())[0], Mean(start)[0], 1e-6);
  }
}

TEST(SgpTest, OnRegularGraphsEveryMassStaysExactlyOne) {  // SG-T4
  for (const auto& topology : {Shared(MakeOnePeerExponential()), Shared(MakeDissemination()),
                               Shared(MakeRing()), Shared(MakeMultiPeerExponential(2))}) {
    Lockstep swarm({.rounds = {PushSum(topology)}}, NoGradients(8),
                   ScatteredStart(8, kDimension, 1));
    for (int step = 0; step < 20; ++step) {
      swarm.Step();
      for (const double mass : swarm.mass()) EXPECT_NEAR(mass, 1, 1e-14) << topology->name();
    }
  }
}

TEST(SgpTest, OverlappedByNothingIsSgpAndOverlappedByTwoStepsGetsThereToo) {  // SG-T5
  const Quadratics problem(8, kDimension, 1, 7);
  const std::vector<Values> start = CommonStart(8, kDimension, 1);
  auto run = [&](uint64_t delay) {
    RoundSpec spec = PushSum(MakeOnePeerExponential());
    spec.delay = delay;
    Lockstep swarm({.local = {.rate = 0.02}, .rounds = {spec}}, problem.gradients(), start);
    swarm.Run(600);
    EXPECT_NEAR(MassOf(swarm), 8, 1e-9);
    return problem.Bias(swarm.x());
  };
  Lockstep gossip({.local = {.rate = 0.02}, .rounds = {Gossip(MakeOnePeerExponential())}},
                  problem.gradients(), start);
  gossip.Run(600);
  EXPECT_NEAR(run(0), problem.Bias(gossip.x()), 1e-6);
  EXPECT_LT(run(2), 0.1);
}

// ---- GossipGraD ---------------------------------------------------------------------------------

TEST(GossipGradTest, TheDeltaFormKeepsTheRateAndTheOverwriteHalvesIt) {  // GG-T4
  auto moved_per_step = [](RoundSpec spec) {
    const std::vector<Values> start = ScatteredStart(8, kDimension, 1);
    Lockstep swarm({.local = {.rate = 0.1}, .rounds = {std::move(spec)}}, ConstantGradients(8, 1),
                   start);
    swarm.Run(50);
    const double warm = Mean(swarm.x())[0];
    swarm.Run(200);
    return (warm - Mean(swarm.x())[0]) / (200 * 0.1);
  };
  RoundSpec delta = Gossip(MakeHypercube());
  EXPECT_NEAR(moved_per_step(delta), 1, 1e-4);
  delta.delay = 1;
  EXPECT_NEAR(moved_per_step(delta), 1, 1e-4);
  RoundSpec overwrite = delta;
  overwrite.outer = [](size_t, bool) { return MakeOverwriteOuter(); };
  EXPECT_NEAR(moved_per_step(overwrite), 0.5, 1e-4);
}

TEST(GossipGradTest, MixedGradientsAloneBringNobodyTogether) {  // GG-T6
  RoundSpec spec = Gossip(MakeHypercube());
  spec.payload = RoundSpec::Payload::kGradient;
  const std::vector<Values> start = ScatteredStart(8, kDimension, 1);
  Lockstep still({.local = {.rate = 0}, .rounds = {spec}},
                 Quadratics(8, kDimension, 1, 7).gradients(), start);
  still.Run(20);
  EXPECT_EQ(still.x(), start);
  Lockstep moving({.rounds = {spec}}, ConstantGradients(8, 1), start);
  moving.Run(20);
  EXPECT_NEAR(Spread(moving.x()), Spread(start), 1e-4);
}

// Generation 2: x' and the momentum are both the mean of the pair, after the step.
TEST(GossipGradTest, ParametersAndMomentumAreThePairsMeans) {
  const Quadratics problem(2, kDimension, 1, 7);
  const LocalOptimizer local{.rate = 0.05, .momentum = 0.9};
  RoundSpec spec = Gossip(MakeHypercube());
  spec.outer = [](size_t, bool has_momentum) { return MakeMomentumSharingOuter(has_momentum); };
  Lockstep swarm({.local = local, .rounds = {spec}}, problem.gradients(),
                 CommonStart(2, kDimension, 1));
  std::vector<Values> x = CommonStart(2, kDimension, 1);
  std::vector<Values> momentum(2, Values(kDimension));
  for (int t = 0; t < 30; ++t) {
    swarm.Step();
    for (size_t i = 0; i < 2; ++i) {
      LocalStep(local, problem.gradients()[i](x[i]), x[i], momentum[i]);
    }
    for (std::vector<Values>* both : {&x, &momentum}) {
      const std::vector<double> mean = Mean(*both);
      both->assign(2, Values(mean.begin(), mean.end()));
    }
    ASSERT_LT(Difference(swarm.x(), x), 1e-5);
    ASSERT_LT(Difference(swarm.momentum(), momentum), 1e-4);
  }
}

// ---- Gossip-PGA ---------------------------------------------------------------------------------

RoundSpec Pga(std::shared_ptr<const Topology> topology, uint64_t every) {
  RoundSpec spec = Gossip(std::move(topology));
  spec.global_every = every;
  return spec;
}

std::vector<Values> After(const RoundSpec& spec, const Quadratics& problem, uint64_t steps,
                          double momentum = 0.9) {
  Lockstep swarm({.local = {.rate = 0.02, .momentum = momentum}, .rounds = {spec}},
                 problem.gradients(), CommonStart(8, kDimension, 1));
  swarm.Run(steps);
  return swarm.x();
}

TEST(GossipPgaTest, ItsLimitsAreAllReduceGossipAndLocalSgd) {  // PG-T1, PG-T2, PG-T3
  const Quadratics problem(8, kDimension, 1, 7);
  RoundSpec all_reduce = Gossip(MakeEveryone());
  all_reduce.payload = RoundSpec::Payload::kGradient;
  EXPECT_LT(Difference(After(Pga(MakeRing(), 1), problem, 200), After(all_reduce, problem, 200)),
            1e-5);
  EXPECT_EQ(After(Pga(MakeRing(), 0), problem, 200), After(Gossip(MakeRing()), problem, 200));
  RoundSpec local_sgd = Gossip(MakeEveryone());
  local_sgd.period = 5;
  EXPECT_EQ(After(Pga(Shared(std::make_unique<Nobody>()), 5), problem, 200),
            After(local_sgd, problem, 200));
}

TEST(GossipPgaTest, RightAfterAGlobalRoundAllAgree) {  // PG-T4
  const Quadratics problem(8, kDimension, 1, 7);
  EXPECT_LT(Spread(After(Pga(MakeRing(), 6), problem, 60)), 1e-10);
  EXPECT_GT(Spread(After(Pga(MakeRing(), 6), problem, 61)), 1e-6);
}

TEST(GossipPgaTest, TheBiasFallsWithThePeriodOfTheGlobalRounds) {  // PG-T5
  const Quadratics problem(8, kDimension, 1, 7);
  double last = 0;
  for (const uint64_t every : {1, 2, 6, 24, 0}) {
    // 1200 steps are a multiple of every period; the steps before the next global round come on
    // top.
    double worst = 0;
    for (uint64_t phase = 0; phase < std::max<uint64_t>(every, 1); ++phase) {
      const auto x = After(Pga(MakeRing(), every), problem, 1200 + phase, 0);
      worst = std::max(worst, problem.Bias(x));
    }
    EXPECT_GT(worst, last) << every;
    last = worst;
  }
}

TEST(GossipPgaTest, ForPowersOfTwoExponentialRoundsDoForAGlobalOne) {  // PG-T6
  const std::vector<Values> start = ScatteredStart(8, kDimension, 1);
  Lockstep exponential({.rounds = {Gossip(MakeOnePeerExponential())}}, NoGradients(8), start);
  exponential.Run(3);
  Lockstep global({.rounds = {Gossip(MakeEveryone())}}, NoGradients(8), start);
  global.Step();
  EXPECT_LT(Difference(exponential.x(), global.x()), 1e-6);
}

// ---- LASGD --------------------------------------------------------------------------------------

RoundSpec Background(uint64_t period) {
  RoundSpec spec = Gossip(MakeEveryone());
  spec.period = period;
  spec.delay = RoundSpec::kBackground;
  return spec;
}

TEST(LasgdTest, AveragingConservesTheSumAndWithoutStepsMeanwhileAllAgree) {  // LA-T1, LA-T2
  const std::vector<Values> start = ScatteredStart(5, kDimension, 1);
  Lockstep swarm({.rounds = {Background(1)}, .background_steps = 4}, NoGradients(5), start);
  swarm.Run(5);
  EXPECT_LT(Spread(swarm.x()), 1e-12);
  for (size_t k = 0; k < kDimension; ++k) {
    EXPECT_NEAR(Mean(swarm.x())[k], Mean(start)[k], 1e-6);
  }
}

TEST(LasgdTest, ProgressMadeDuringARoundIsKeptInFull) {  // LA-T3
  const std::vector<Values> start = ScatteredStart(5, kDimension, 1);
  Lockstep swarm({.local = {.rate = 0.1}, .rounds = {Background(1)}, .background_steps = 4},
                 ConstantGradients(5, 1), start);
  swarm.Run(100);
  EXPECT_NEAR(Mean(start)[0] - Mean(swarm.x())[0], 10, 1e-4);
  EXPECT_LT(Spread(swarm.x()), 1e-9);
}

TEST(LasgdTest, BlockingAfterEveryStepItIsLocalSgd) {  // LA-T4
  const Quadratics problem(8, kDimension, 1, 7);
  RoundSpec blocking = Background(1);
  blocking.delay = 0;
  EXPECT_EQ(After(blocking, problem, 100), After(Gossip(MakeEveryone()), problem, 100));
}

// ---- Apply order --------------------------------------------------------------------------------

// Both have a bias on data that differ from worker to worker; adapting before combining, the
// smaller.
TEST(ApplyOrderTest, CombiningWhileAdaptingIsMoreBiasedThanAdaptingFirst) {
  const Quadratics problem(8, kDimension, 1, 7);
  RoundSpec spec = Gossip(MakeRing());
  const double adapt_first = problem.Bias(After(spec, problem, 2000, 0));
  spec.delay = 1;
  const double meanwhile = problem.Bias(After(spec, problem, 2000, 0));
  RecordProperty("adapt_then_combine", std::to_string(adapt_first));
  RecordProperty("combine_while_adapting", std::to_string(meanwhile));
  EXPECT_GT(meanwhile, 1.2 * adapt_first);
}

}  // namespace
}  // namespace starling
