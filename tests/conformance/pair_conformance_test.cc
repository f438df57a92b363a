// What the rules of pair exchanges do to a swarm. The ids are those of the specification's tests:
// EG Elastic Gossip, GS Gossiping SGD, GO GoSGD, DW Dynamic Weighting, LS Leader SGD, AP AD-PSGD,
// SW SwarmSGD. EASGD has a file of its own.

#include <algorithm>
#include <cmath>

#include "gtest/gtest.h"
#include "peer/gossip/elastic_mix.h"
#include "peer/gossip/pull_mix.h"
#include "peer/gossip/push_mix.h"
#include "peer/gossip/push_sum_mix.h"
#include "peer/gossip/staleness_mix.h"
#include "tests/conformance/pair_swarm.h"

namespace starling {
namespace {

constexpr size_t kDimension = 20;
using Edges = std::vector<std::pair<size_t, size_t>>;

double SumDrift(const std::vector<Values>& before, const std::vector<Values>& after) {
  const std::vector<double> a = Mean(before);
  const std::vector<double> b = Mean(after);
  double drift = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    drift = std::max(drift, std::abs(a[i] - b[i]) * static_cast<double>(before.size()));
  }
  return drift;
}

double Distance(const Values& a, const Values& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::pow(double{a[i]} - b[i], 2);
  return std::sqrt(sum);
}

// Every worker starts one exchange with a random other.
Edges RandomChoices(size_t workers, Random& random) {
  Edges edges;
  for (size_t i = 0; i < workers; ++i) {
    edges.emplace_back(i, (i + 1 + random.UniformInt(workers - 1)) % workers);
  }
  return edges;
}

// ---- Elastic Gossip -----------------------------------------------------------------------------

TEST(ElasticGossipTest, TheSumStaysForEverySetOfEdgesAndEveryStrength) {  // EG-T1
  Random random(3);
  for (const double alpha : {0.05, 0.25, 0.5, 0.75}) {
    for (int trial = 0; trial < 20; ++trial) {
      std::vector<PairWorker> workers = WorkersAt(ScatteredStart(6, kDimension, trial));
      const std::vector<Values> before = ValuesOf(workers);
      ExchangeAtOnce(*MakeElasticMix(alpha), workers, RandomChoices(6, random));
      EXPECT_LT(SumDrift(before, ValuesOf(workers)), 1e-5);
      EXPECT_GT(Difference(before, ValuesOf(workers)), 0.01);
    }
  }
}

TEST(ElasticGossipTest, HalfMeetsInTheMiddleAndOneSwaps) {  // EG-T2
  const std::vector<Values> start = ScatteredStart(2, kDimension, 1);
  std::vector<PairWorker> met = WorkersAt(start);
  Exchange(*MakeElasticMix(0.5), met[0], met[1]);
  EXPECT_LT(Spread(ValuesOf(met)), 1e-12);
  EXPECT_LT(SumDrift(start, ValuesOf(met)), 1e-6);
  std::vector<PairWorker> swapped = WorkersAt(start);
  Exchange(*MakeElasticMix(1), swapped[0], swapped[1]);
  EXPECT_LT(Difference({swapped[1].x, swapped[0].x}, start), 1e-6);
}

TEST(ElasticGossipTest, TheDifferenceOfAPairShrinksByOneMinusTwoAlpha) {  // EG-T3
  for (const double alpha : {0.1, 0.25, 0.4, 0.75}) {
    std::vector<PairWorker> pair = WorkersAt(ScatteredStart(2, kDimension, 1));
    const double before = Distance(pair[0].x, pair[1].x);
    Exchange(*MakeElasticMix(alpha), pair[0], pair[1]);
    EXPECT_NEAR(Distance(pair[0].x, pair[1].x), std::abs(1 - 2 * alpha) * before, 1e-5 * before);
  }
}

TEST(ElasticGossipTest, OnARingEverybodyIsPulledByBothNeighbours) {  // EG-T4
  constexpr size_t kWorkers = 5;
  constexpr double kAlpha = 0.2;
  std::vector<PairWorker> workers = WorkersAt(ScatteredStart(kWorkers, kDimension, 1));
  const std::vector<Values> x = ValuesOf(workers);
  Edges ring;
  for (size_t i = 0; i < kWorkers; ++i) ring.emplace_back(i, (i + 1) % kWorkers);
  ExchangeAtOnce(*MakeElasticMix(kAlpha), workers, ring);
  for (size_t i = 0; i < kWorkers; ++i) {
    const Values& left = x[(i + kWorkers - 1) % kWorkers];
    const Values& right = x[(i + 1) % kWorkers];
    for (size_t k = 0; k < kDimension; ++k) {
      const double delta = kAlpha * ((x[i][k] - right[k]) + (x[i][k] - left[k]));
      EXPECT_NEAR(workers[i].x[k], x[i][k] - delta, 1e-6);
    }
  }
}

TEST(ElasticGossipTest, ExchangesNeverTouchTheMomentum) {  // EG-T5
  auto momentum_after = [](double p) {
    PairSwarm swarm({.local = {.rate = 0.1, .momentum = 0.9},
                     .rule = MakeElasticMix(0.5),
                     .selector = MakeUniformSelector(),
                     .p = p},
                    ConstantGradients(4, 0.5), ScatteredStart(4, kDimension, 1));
    swarm.Run(20);
    return swarm.momentum();
  };
  EXPECT_EQ(momentum_after(1), momentum_after(0));
}

// ---- Gossiping SGD ------------------------------------------------------------------------------

TEST(GossipingSgdTest, OnlyWhoAsksMovesInAPullAndOnlyWhoIsToldInAPush) {  // GS-T1
  std::vector<PairWorker> pair = WorkersAt(ScatteredStart(2, kDimension, 1));
  const std::vector<Values> before = ValuesOf(pair);
  Exchange(*MakePullMix(), pair[0], pair[1]);
  EXPECT_EQ(pair[1].x, before[1]);
  EXPECT_GT(Difference(ValuesOf(pair), before), 0.1);
  pair = WorkersAt(before);
  Exchange(*MakePushMix(), pair[0], pair[1]);
  EXPECT_EQ(pair[0].x, before[0]);
  EXPECT_GT(Difference(ValuesOf(pair), before), 0.1);
}

// Of all n (n - 1) exchanges that are equally likely, one moves the mean and the sum of all does
// not.
TEST(GossipingSgdTest, TheMeanStaysInExpectationOnly) {  // GS-T2
  const std::vector<Values> start = ScatteredStart(5, kDimension, 1);
  for (const auto& rule : {MakePullMix(), MakePushMix()}) {
    std::vector<double> moves(kDimension);
    for (size_t i = 0; i < 5; ++i) {
      for (size_t j = 0; j < 5; ++j) {
        if (i == j) continue;
        std::vector<PairWorker> workers = WorkersAt(start);
        Exchange(*rule, workers[i], workers[j]);
        EXPECT_GT(SumDrift(start, ValuesOf(workers)), 0.1);
        for (size_t k = 0; k < kDimension; ++k) {
          moves[k] += Mean(ValuesOf(workers))[k] - Mean(start)[k];
        }
      }
    }
    for (const double move : moves) EXPECT_NEAR(move, 0, 1e-5);
  }
}

TEST(GossipingSgdTest, TwoWhoPullAtOneMomentMeet) {  // GS-T3
  const std::vector<Values> start = ScatteredStart(2, kDimension, 1);
  std::vector<PairWorker> pair = WorkersAt(start);
  ExchangeAtOnce(*MakePullMix(), pair, {{0, 1}, {1, 0}});
  EXPECT_LT(Spread(ValuesOf(pair)), 1e-12);
  EXPECT_LT(SumDrift(start, ValuesOf(pair)), 1e-5);
}

TEST(GossipingSgdTest, WithProbabilityZeroNobodyCommunicates) {  // GS-T4
  const Quadratics problem(4, kDimension, 1, 7);
  const std::vector<Values> start = CommonStart(4, kDimension, 1);
  PairSwarm swarm({.rule = MakePullMix(), .selector = MakeUniformSelector(), .p = 0},
                  problem.gradients(), start);
  swarm.Run(30);
  for (size_t i = 0; i < 4; ++i) {
    Values alone = start[i];
    Values momentum(kDimension);
    for (int t = 0; t < 30; ++t) LocalStep({}, problem.gradients()[i](alone), alone, momentum);
    EXPECT_EQ(swarm.x()[i], alone);
  }
}

// ---- GoSGD --------------------------------------------------------------------------------------

struct Totals {
  double mass = 0;
  double weighted = 0;  // mass times the first parameter
};

Totals TotalsOf(const std::vector<PairWorker>& workers) {
  Totals totals;
  for (const PairWorker& worker : workers) {
    totals.mass += worker.mass;
    totals.weighted += worker.mass * worker.x[0];
  }
  return totals;
}

TEST(GoSgdTest, MassAndWeightedSumStayAndAllFindTheInitialMean) {  // GO-T1, GO-T2, GO-T3
  std::vector<PairWorker> workers = WorkersAt(ScatteredStart(8, kDimension, 1));
  const std::vector<double> mean = Mean(ValuesOf(workers));
  const Totals before = TotalsOf(workers);
  Random random(5);
  for (int event = 0; event < 2000; ++event) {
    const size_t from = random.UniformInt(8);
    // Everybody prefers the worker before.
    const size_t ahead = random.Bernoulli(0.7) ? 7 : 1 + random.UniformInt(7);
    const size_t to = (from + ahead) % 8;
    Exchange(*MakePushSumMix(), workers[from], workers[to]);
    ASSERT_NEAR(TotalsOf(workers).mass, before.mass, 1e-9);
    ASSERT_NEAR(TotalsOf(workers).weighted, before.weighted, 1e-5);
  }
  for (const PairWorker& worker : workers) {
    for (size_t k = 0; k < kDimension; ++k) EXPECT_NEAR(worker.x[k], mean[k], 1e-5);
  }
}

TEST(GoSgdTest, WithoutTheMassesTheyAgreeOnSomethingElse) {  // GO-T4
  double error[2] = {0, 0};
  for (int weighted = 0; weighted < 2; ++weighted) {
    const auto rule = weighted == 1 ? MakePushSumMix() : MakePushMix();
    std::vector<PairWorker> workers = WorkersAt(ScatteredStart(8, kDimension, 1));
    const std::vector<double> mean = Mean(ValuesOf(workers));
    Random random(5);
    for (int event = 0; event < 2000; ++event) {
      const size_t from = random.UniformInt(8);
      Exchange(*rule, workers[from], workers[(from + 1 + random.UniformInt(7)) % 8]);
    }
    EXPECT_LT(Spread(ValuesOf(workers)), 1e-8);
    for (size_t k = 0; k < kDimension; ++k) {
      error[weighted] = std::max(error[weighted], std::abs(Mean(ValuesOf(workers))[k] - mean[k]));
    }
  }
  EXPECT_GT(error[0], 0.1);
  EXPECT_LT(error[1], 1e-5);
}

// ---- Dynamic Weighting --------------------------------------------------------------------------

TEST(DynamicWeightingTest, FreshIsEasgdAndEntirelyStaleIsReset) {  // DW-T1
  const std::vector<Values> start = ScatteredStart(2, kDimension, 1);
  std::vector<PairWorker> fresh = WorkersAt(start);
  std::vector<PairWorker> elastic = WorkersAt(start);
  Exchange(*MakeStalenessMix(0.1), fresh[0], fresh[1], 0);
  Exchange(*MakeElasticMix(0.1), elastic[0], elastic[1]);
  EXPECT_EQ(ValuesOf(fresh), ValuesOf(elastic));
  std::vector<PairWorker> stale = WorkersAt(start);
  Exchange(*MakeStalenessMix(0.1), stale[0], stale[1], 1);
  EXPECT_EQ(stale[1].x, start[1]);
  EXPECT_LT(Distance(stale[0].x, start[1]), 1e-5);
}

TEST(DynamicWeightingTest, TheSumMovesByTheDeclaredDefect) {  // DW-T2
  const auto rule = MakeStalenessMix(0.2);
  for (const double z : {0.0, 0.3, 1.0}) {
    const std::vector<Values> start = ScatteredStart(2, kDimension, 1);
    std::vector<PairWorker> pair = WorkersAt(start);
    Exchange(*rule, pair[0], pair[1], z);
    const double defect = rule->responder_share(z) - rule->initiator_share(z);
    for (size_t k = 0; k < kDimension; ++k) {
      const double change = double{pair[0].x[k]} + pair[1].x[k] - start[0][k] - start[1][k];
      EXPECT_NEAR(change, defect * (start[0][k] - start[1][k]), 2e-6);
    }
  }
}

// The point of it: who comes back after a long time drags the centre along under EASGD, and not
// here.
TEST(DynamicWeightingTest, AWorkerThatWasAwayDoesNotDragTheCentre) {
  PairWorker centre{Values(kDimension, 0)};
  PairWorker away{Values(kDimension, 100)};
  Exchange(*MakeStalenessMix(0.1), away, centre, 1);
  EXPECT_EQ(centre.x, Values(kDimension, 0));
  PairWorker again{Values(kDimension, 100)};
  Exchange(*MakeElasticMix(0.1), again, centre);
  EXPECT_NEAR(centre.x[0], 10, 1e-4);
}

// ---- Leader SGD ---------------------------------------------------------------------------------

TEST(LeaderSgdTest, TheLeaderStaysAndFullStrengthCopiesIt) {  // LS-T1, LS-T2
  const std::vector<Values> start = ScatteredStart(4, kDimension, 1);
  PairSwarm swarm({.local = {.rate = 0},
                   .rule = MakePullMix(1),
                   .selector = MakeLeaderSelector(1, 1),
                   .losses = {0.5, 0.4, 0.1, 0.3}},
                  ConstantGradients(4, 0), start);
  swarm.Step();
  for (const Values& x : swarm.x()) EXPECT_LT(Distance(x, start[2]), 1e-5);
  EXPECT_EQ(swarm.x()[2], start[2]);
}

TEST(LeaderSgdTest, BetweenEqualsAPullDoesNothing) {  // LS-T3
  const std::vector<Values> start = CommonStart(4, kDimension, 1);
  PairSwarm swarm({.local = {.rate = 0},
                   .rule = MakePullMix(0.1),
                   .selector = MakeLeaderSelector(1, 1),
                   .losses = {0.5, 0.4, 0.1, 0.3}},
                  ConstantGradients(4, 0), start);
  swarm.Run(10);
  EXPECT_EQ(swarm.x(), start);
}

TEST(LeaderSgdTest, TheSumIsNotConservedAndNobodyGetsFurtherFromTheLeader) {  // LS-T4, LS-T5
  for (const double strength : {0.1, 0.5, 1.0}) {
    const std::vector<Values> start = ScatteredStart(4, kDimension, 1);
    PairSwarm swarm({.local = {.rate = 0},
                     .rule = MakePullMix(strength),
                     .selector = MakeLeaderSelector(1, 1),
                     .losses = {0.5, 0.4, 0.1, 0.3}},
                    ConstantGradients(4, 0), start);
    swarm.Step();
    EXPECT_GT(SumDrift(start, swarm.x()), 0.1);
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_NEAR(Distance(swarm.x()[i], start[2]), (1 - strength) * Distance(start[i], start[2]),
                  1e-5);
    }
  }
}

// ---- AD-PSGD and SwarmSGD -----------------------------------------------------------------------

TEST(AdPsgdTest, ThePairsSumChangesByTheGradientsOnlyHoweverTheyInterleave) {  // AP-T1, SW-T1
  Random random(17);
  std::vector<PairWorker> workers = WorkersAt(ScatteredStart(6, kDimension, 1));
  const std::vector<Values> before = ValuesOf(workers);
  double steps = 0;  // of the first parameter, by all
  auto step = [&](size_t worker) {
    const float was = workers[worker].x[0];
    workers[worker].x[0] += static_cast<float>(random.Normal());
    steps += double{workers[worker].x[0]} - was;
  };
  for (int event = 0; event < 500; ++event) {
    const size_t i = random.UniformInt(6);
    const size_t j = (i + 1 + random.UniformInt(5)) % 6;
    step(random.UniformInt(6));
    Exchange(*MakeElasticMix(0.5), workers[i], workers[j], 0, [&] {
      step(i);
      step(j);
    });
  }
  EXPECT_NEAR(6 * Mean(ValuesOf(workers))[0], 6 * Mean(before)[0] + steps, 1e-3);
}

// The step that the initiator made meanwhile is in x once: no second exchange brings it again.
TEST(SwarmSgdTest, LocalProgressJoinsExactlyOnce) {  // SW-T2
  std::vector<PairWorker> pair = WorkersAt(CommonStart(2, kDimension, 1));
  const double before = 2 * Mean(ValuesOf(pair))[0];
  Exchange(*MakeElasticMix(0.5), pair[0], pair[1], 0, [&] { pair[0].x[0] += 1; });
  EXPECT_NEAR(2 * Mean(ValuesOf(pair))[0], before + 1, 1e-6);
  Exchange(*MakeElasticMix(0.5), pair[0], pair[1]);
  Exchange(*MakeElasticMix(0.5), pair[0], pair[1]);
  EXPECT_NEAR(2 * Mean(ValuesOf(pair))[0], before + 1, 1e-6);
  EXPECT_NEAR(pair[0].x[0], pair[1].x[0], 1e-6);
}

TEST(SwarmSgdTest, WithOneLocalStepItIsThePairAverageOfAdPsgd) {  // SW-T4, AP-T3
  const Quadratics problem(2, kDimension, 1, 7);
  PairSwarm swarm({.rule = MakeElasticMix(0.5), .selector = MakeUniformSelector()},
                  problem.gradients(), CommonStart(2, kDimension, 1));
  std::vector<Values> x = CommonStart(2, kDimension, 1);
  std::vector<Values> momentum(2, Values(kDimension));
  for (int t = 0; t < 20; ++t) {
    swarm.Step();
    for (size_t i = 0; i < 2; ++i) LocalStep({}, problem.gradients()[i](x[i]), x[i], momentum[i]);
    const std::vector<double> mean = Mean(x);
    x.assign(2, Values(mean.begin(), mean.end()));
  }
  EXPECT_LT(Difference(swarm.x(), x), 1e-6);
}

}  // namespace
}  // namespace starling
