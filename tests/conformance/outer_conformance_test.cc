// What outer optimizers make of rounds: DL DecentLaM, DI DiLoCo, SD Streaming DiLoCo, NL NoLoCo, GA
// GASLoC, and SlowMo; with the stability of the last three (C20).

#include "gtest/gtest.h"
#include "peer/gossip/elastic_mix.h"
#include "peer/topology/everyone.h"
#include "peer/topology/groups.h"
#include "peer/topology/random_pairs.h"
#include "peer/topology/ring.h"
#include "tests/conformance/lockstep.h"
#include "tests/conformance/pair_swarm.h"
#include "tests/conformance/recipes.h"

namespace starling {
namespace {

constexpr size_t kDimension = 12;
constexpr size_t kWorkers = 8;

Quadratics Problem() { return Quadratics(kWorkers, kDimension, 1, 7); }

std::vector<Values> After(const RoundSpec& spec, LocalOptimizer local, uint64_t steps) {
  Lockstep swarm({.local = local, .rounds = {spec}}, Problem().gradients(),
                 CommonStart(kWorkers, kDimension, 1));
  swarm.Run(steps);
  return swarm.x();
}

RoundSpec Nesterov(uint64_t period, double rate, double momentum, double keep = 0) {
  return Outer(Shared(MakeEveryone()), period, [=](size_t elements) {
    return MakeNesterovOuter(elements, rate, momentum, keep);
  });
}

RoundSpec SlowMomentum(std::shared_ptr<const Topology> topology, uint64_t period, double beta) {
  return Outer(std::move(topology), period,
               [=](size_t elements) { return MakeSlowMomentumOuter(elements, beta, 1); });
}

RoundSpec NoLoCo(std::shared_ptr<const Topology> topology, uint64_t period, double momentum,
                 double rate, double pull) {
  return Outer(std::move(topology), period, [=](size_t elements) {
    return MakeNoLoCoOuter(elements, momentum, rate, pull);
  });
}

RoundSpec Gasloc(uint64_t period, double rate, double alpha, double gamma) {
  return Outer(Shared(MakeRandomMatching()), period, [=](size_t elements) {
    return MakeGaslocOuter(elements, rate, alpha, gamma);
  });
}

// ---- DecentLaM ----------------------------------------------------------------------------------

RoundSpec DecentLam(std::shared_ptr<const Topology> topology, double mu) {
  return SlowMomentum(std::move(topology), 1, mu);
}

TEST(DecentLamTest, WithoutMomentumItIsGossipSgdThatAdaptsFirst) {  // DL-T1, C14
  const LocalOptimizer local{.rate = 0.02};
  EXPECT_LT(Difference(After(DecentLam(MakeRing(), 0), local, 500),
                       After(Gossip(MakeRing()), local, 500)),
            2e-6);
}

TEST(DecentLamTest, WithEverybodyItIsParallelMomentumSgd) {  // DL-T2
  RoundSpec all_reduce = Gossip(MakeEveryone());
  all_reduce.payload = RoundSpec::Payload::kGradient;
  EXPECT_LT(Difference(After(DecentLam(MakeEveryone(), 0.9), {.rate = 0.02}, 200),
                       After(all_reduce, {.rate = 0.02, .momentum = 0.9}, 200)),
            2e-5);
}

TEST(DecentLamTest, MomentumAddsNothingToTheBiasAndPlainMomentumMuch) {  // DL-T3, C14
  const auto bias = [](const RoundSpec& spec, double momentum) {
    return Problem().Bias(After(spec, {.rate = 0.02, .momentum = momentum}, 4000));
  };
  const double dsgd = bias(Gossip(MakeRing()), 0);
  EXPECT_GT(dsgd, 0.01);
  for (const double mu : {0.5, 0.9}) {
    EXPECT_NEAR(bias(DecentLam(MakeRing(), mu), 0), dsgd, 1e-5) << mu;
  }
  const double half = bias(Gossip(MakeRing()), 0.5);
  const double much = bias(Gossip(MakeRing()), 0.9);
  RecordProperty("dsgd", std::to_string(dsgd));
  RecordProperty("dmsgd_0.5", std::to_string(half));
  RecordProperty("dmsgd_0.9", std::to_string(much));
  // The amplitude grows by up to 1 / (1 - mu), its square by the square of that.
  EXPECT_GT(half, 2 * dsgd);
  EXPECT_LT(half, 4 * dsgd);
  EXPECT_GT(much, 10 * dsgd);
  EXPECT_LT(much, 100 * dsgd);
}

TEST(DecentLamTest, AloneItIsPlainMomentumSgd) {  // DL-T4, C17
  const Gradient gradient = Quadratics(1, kDimension, 1, 7).gradients()[0];
  Lockstep swarm({.local = {.rate = 0.02}, .rounds = {DecentLam(MakeRing(), 0.9)}}, {gradient},
                 CommonStart(1, kDimension, 1));
  Values x = CommonStart(1, kDimension, 1)[0];
  Values momentum(kDimension);
  for (int t = 0; t < 300; ++t) {
    swarm.Step();
    LocalStep({.rate = 0.02, .momentum = 0.9}, gradient(x), x, momentum);
    ASSERT_LT(Difference(swarm.x(), {x}), 1e-5);
  }
}

// ---- DiLoCo -------------------------------------------------------------------------------------

TEST(DiLoCoTest, RateOneWithoutMomentumIsTheMean) {  // DI-T1
  RoundSpec local_sgd = Gossip(MakeEveryone());
  local_sgd.period = 5;
  EXPECT_LT(Difference(After(Nesterov(5, 1, 0), {.rate = 0.05, .momentum = 0.9}, 50),
                       After(local_sgd, {.rate = 0.05, .momentum = 0.9}, 50)),
            1e-5);
}

TEST(DiLoCoTest, AfterEveryStepItIsNesterovsAllReduceSgd) {  // DI-T2
  constexpr double kInner = 0.1;
  constexpr double kOuter = 0.7;
  constexpr double kMomentum = 0.9;
  const std::vector<Gradient> gradients = Problem().gradients();
  Lockstep swarm({.local = {.rate = kInner}, .rounds = {Nesterov(1, kOuter, kMomentum)}}, gradients,
                 CommonStart(kWorkers, kDimension, 1));
  std::vector<Values> x = CommonStart(1, kDimension, 1);
  std::vector<double> m(kDimension);
  for (int t = 0; t < 100; ++t) {
    swarm.Step();
    std::vector<double> gradient(kDimension);
    for (const Gradient& own : gradients) {
      for (size_t k = 0; k < kDimension; ++k) gradient[k] += own(x[0])[k] / kWorkers;
    }
    for (size_t k = 0; k < kDimension; ++k) {
      m[k] = kMomentum * m[k] + gradient[k];
      x[0][k] -= static_cast<float>(kInner * kOuter * (gradient[k] + kMomentum * m[k]));
    }
    ASSERT_LT(Difference({swarm.x()[0]}, x), 1e-5) << t;
  }
}

TEST(DiLoCoTest, AllAgreeAfterEveryRound) {  // DI-T3
  Lockstep swarm({.local = {.rate = 0.05}, .rounds = {Nesterov(5, 0.7, 0.9)}},
                 Problem().gradients(), CommonStart(kWorkers, kDimension, 1));
  for (int round = 0; round < 20; ++round) {
    swarm.Run(4);
    EXPECT_GT(Spread(swarm.x()), 1e-9);
    swarm.Step();
    EXPECT_LT(Spread(swarm.x()), 1e-11);
  }
}

// Anchors that were not taken at the common start differ; but each is pulled to the common mean.
TEST(DiLoCoTest, AnchorsThatDifferFindTogether) {
  Lockstep swarm({.local = {.rate = 0.05}, .rounds = {Nesterov(5, 0.7, 0.9)}, .prime = false},
                 Problem().gradients(), CommonStart(kWorkers, kDimension, 1));
  swarm.Run(5);
  EXPECT_GT(Spread(swarm.x()), 1e-6);
  swarm.Run(20 * 5);
  EXPECT_LT(Spread(swarm.x()), 1e-10);
}

// ---- Streaming DiLoCo ---------------------------------------------------------------------------

TEST(StreamingDiLoCoTest, InOneFragmentAtOnceAndWithoutMergingItIsDiLoCo) {  // SD-T1
  RoundSpec streaming = Nesterov(6, 0.7, 0.9, 0);
  streaming.fragments = 1;
  EXPECT_EQ(After(streaming, {.rate = 0.05}, 60), After(Nesterov(6, 0.7, 0.9), {.rate = 0.05}, 60));
}

TEST(StreamingDiLoCoTest, AFragmentTravelsAtATimeAndEachOncePerCycle) {  // SD-T2, SD-T3
  constexpr uint32_t kFragments = 3;
  constexpr uint64_t kCycle = 6;
  RoundSpec spec = Nesterov(kCycle / kFragments, 0.7, 0.9, 0.5);
  spec.fragments = kFragments;
  spec.delay = 1;
  Lockstep swarm({.local = {.rate = 0.05}, .rounds = {spec}}, ConstantGradients(4, 1),
                 ScatteredStart(4, kDimension, 1));
  for (int cycle = 0; cycle < 4; ++cycle) {
    size_t sent = 0;
    for (uint64_t step = 0; step < kCycle; ++step) {
      swarm.Step();
      EXPECT_LE(swarm.numbers_sent(), kDimension / kFragments);
      sent += swarm.numbers_sent();
    }
    EXPECT_EQ(sent, kDimension);
  }
}

TEST(StreamingDiLoCoTest, OverlappedAndMergedByHalvesItFindsTheOptimumAsTheRateFalls) {
  RoundSpec spec = Nesterov(3, 0.7, 0.9, 0.5);
  spec.fragments = 2;
  spec.delay = 2;
  const auto bias = [&](double rate) {
    const std::vector<double> mean = Mean(After(spec, {.rate = rate}, 8000));
    return Problem().Bias({Values(mean.begin(), mean.end())});
  };
  const double faster = bias(0.005);
  EXPECT_LT(faster, 0.01);
  EXPECT_LT(bias(0.0025), 0.4 * faster);
}

// ---- NoLoCo -------------------------------------------------------------------------------------

TEST(NoLoCoTest, WithEverybodyAndNoPullItIsDiLoCoWithAHeavyBall) {  // NL-T1
  constexpr double kMomentum = 0.5;
  constexpr double kRate = 0.7;
  const std::vector<Gradient> gradients = Problem().gradients();
  Lockstep swarm({.local = {.rate = 0.05},
                  .rounds = {NoLoCo(MakeEveryone(), 4, kMomentum, kRate, 0)}},
                 gradients, CommonStart(kWorkers, kDimension, 1));
  std::vector<Values> x = CommonStart(kWorkers, kDimension, 1);
  Values anchor = x[0];
  std::vector<double> m(kDimension);
  Values unused(kDimension);
  for (int round = 0; round < 20; ++round) {
    swarm.Run(4);
    for (size_t i = 0; i < kWorkers; ++i) {
      for (int t = 0; t < 4; ++t) LocalStep({.rate = 0.05}, gradients[i](x[i]), x[i], unused);
    }
    const std::vector<double> mean = Mean(x);
    for (size_t k = 0; k < kDimension; ++k) {
      m[k] = kMomentum * m[k] + kRate * (mean[k] - anchor[k]);
      anchor[k] += static_cast<float>(m[k]);
    }
    x.assign(kWorkers, anchor);
    ASSERT_LT(Difference(swarm.x(), x), 1e-5);
  }
}

TEST(NoLoCoTest, TheMeanOfTheAnchorsStays) {  // NL-T2
  const std::vector<Values> start = ScatteredStart(kWorkers, kDimension, 1);
  Lockstep swarm({.rounds = {NoLoCo(MakeRandomGroups(2), 1, 0.5, 0.7, 0.7)}},
                 ConstantGradients(kWorkers, 0), start);
  for (int round = 0; round < 30; ++round) {
    swarm.Step();
    for (size_t k = 0; k < kDimension; ++k) {
      ASSERT_NEAR(Mean(swarm.x())[k], Mean(start)[k], 1e-5);
    }
  }
}

// Of the variance, after 400 rounds without gradients or when it has grown beyond all bounds.
double VarianceLeft(const RoundSpec& spec) {
  const std::vector<Values> start = ScatteredStart(kWorkers, kDimension, 1);
  Lockstep swarm({.rounds = {spec}}, ConstantGradients(kWorkers, 0), start);
  for (int round = 0; round < 400 && Spread(swarm.x()) < 1e12; ++round) swarm.Step();
  return Spread(swarm.x()) / Spread(start);
}

TEST(NoLoCoTest, TheGridOfStability) {  // NL-T3, C20
  const auto left = [](double momentum, double pull) {
    return VarianceLeft(NoLoCo(MakeRandomGroups(2), 1, momentum, 0.7, pull));
  };
  for (const double pull : {0.5, 0.7, 1.0, 1.5}) {
    EXPECT_LT(left(0.5, pull), 1e-3) << pull;
    EXPECT_LT(left(0.3, pull), 1e-3) << pull;
  }
  EXPECT_GT(left(0.9, 0.7), 1e3);
  EXPECT_GT(left(0.0, 2.5), 1e3);
  RecordProperty("variance_at_0.9_0.7", std::to_string(left(0.9, 0.7)));
}

// ---- GASLoC -------------------------------------------------------------------------------------

TEST(GaslocTest, AfterEveryStepAtFullStrengthItIsPairAveraging) {  // GA-T1, C11
  const LocalOptimizer local{.rate = 0.05, .momentum = 0.9};
  EXPECT_LT(Difference(After(Gasloc(1, 1, 1, 0), local, 100),
                       After(Gossip(MakeRandomMatching()), local, 100)),
            1e-5);
}

TEST(GaslocTest, MixingLeavesTheSumWhereItIs) {  // GA-T2
  for (const double gamma : {0.0, 0.5}) {
    const std::vector<Values> start = ScatteredStart(kWorkers, kDimension, 1);
    Lockstep swarm({.rounds = {Gasloc(1, 0.8, 0.6, gamma)}}, ConstantGradients(kWorkers, 0), start);
    for (int round = 0; round < 30; ++round) {
      swarm.Step();
      for (size_t k = 0; k < kDimension; ++k) {
        ASSERT_NEAR(Mean(swarm.x())[k], Mean(start)[k], 1e-5);
      }
    }
  }
}

TEST(GaslocTest, ItsAlphaIsTwiceTheElasticOne) {  // GA-T3
  constexpr double kAlpha = 0.6;
  const std::vector<Values> start = ScatteredStart(kWorkers, kDimension, 1);
  Lockstep swarm({.rounds = {Gasloc(1, 1, kAlpha, 0)}}, ConstantGradients(kWorkers, 0), start);
  std::vector<PairWorker> elastic = WorkersAt(start);
  const auto matching = MakeRandomMatching();
  for (uint64_t round = 0; round < 10; ++round) {
    swarm.Step();
    for (size_t i = 0; i < kWorkers; ++i) {
      const size_t partner =
          matching->Of({.members = kWorkers, .self = i, .round = round, .seed = 1}).out[0];
      if (i < partner) Exchange(*MakeElasticMix(kAlpha / 2), elastic[i], elastic[partner]);
    }
    ASSERT_LT(Difference(swarm.x(), ValuesOf(elastic)), 1e-5);
  }
}

TEST(GaslocTest, TheAccelerationHasALimit) {  // C20
  EXPECT_LT(VarianceLeft(Gasloc(1, 1, 1, 0)), 1e-6);
  EXPECT_LT(VarianceLeft(Gasloc(1, 1, 1, 0.3)), 1e-6);
  EXPECT_LT(VarianceLeft(Gasloc(1, 1, 1, 0.6)), 1e-3);
  EXPECT_GT(VarianceLeft(Gasloc(1, 1, 1, 0.9)), 10);
}

// ---- SlowMo -------------------------------------------------------------------------------------

TEST(SlowMoTest, WithoutMomentumItIsLocalSgd) {
  RoundSpec local_sgd = Gossip(MakeEveryone());
  local_sgd.period = 8;
  const LocalOptimizer local{.rate = 0.05, .momentum = 0.9};
  EXPECT_LT(
      Difference(After(SlowMomentum(MakeEveryone(), 8, 0), local, 80), After(local_sgd, local, 80)),
      1e-5);
}

}  // namespace
}  // namespace starling
