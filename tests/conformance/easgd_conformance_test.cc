// EASGD: workers tied by springs to a centre, which is a worker that does not learn. EA-T1 to EA-T6.

#include <algorithm>
#include <cmath>

#include "gtest/gtest.h"
#include "peer/gossip/elastic_mix.h"
#include "tests/conformance/pair_swarm.h"

namespace starling {
namespace {

constexpr size_t kDimension = 20;

// Every worker with the centre, which is the last.
std::vector<std::pair<size_t, size_t>> Star(size_t workers) {
  std::vector<std::pair<size_t, size_t>> edges;
  for (size_t i = 0; i < workers; ++i) edges.emplace_back(i, workers);
  return edges;
}

TEST(EasgdTest, TheSumOfWorkersAndCentreStays) {  // EA-T1
  std::vector<PairWorker> all = WorkersAt(ScatteredStart(5, kDimension, 1));
  const std::vector<double> before = Mean(ValuesOf(all));
  for (int event = 0; event < 100; ++event) Exchange(*MakeElasticMix(0.3), all[event % 4], all[4]);
  for (size_t k = 0; k < kDimension; ++k) EXPECT_NEAR(Mean(ValuesOf(all))[k], before[k], 1e-5);
}

TEST(EasgdTest, WithBetaOneTheCentreBecomesTheOldMeanOfTheWorkers) {  // EA-T2, C13
  for (const size_t n : {1, 2, 5, 8}) {
    std::vector<PairWorker> all = WorkersAt(ScatteredStart(n + 1, kDimension, 1));
    std::vector<Values> workers = ValuesOf(all);
    workers.pop_back();
    const std::vector<double> mean = Mean(workers);
    ExchangeAtOnce(*MakeElasticMix(1.0 / n), all, Star(n));
    for (size_t k = 0; k < kDimension; ++k) EXPECT_NEAR(all[n].x[k], mean[k], 2e-6);
  }
}

TEST(EasgdTest, OneWorkerAndTheCentreMeetAtHalf) {  // EA-T3
  std::vector<PairWorker> all = WorkersAt(ScatteredStart(2, kDimension, 1));
  const std::vector<double> mean = Mean(ValuesOf(all));
  Exchange(*MakeElasticMix(0.5), all[0], all[1]);
  for (size_t k = 0; k < kDimension; ++k) {
    EXPECT_NEAR(all[0].x[k], mean[k], 1e-6);
    EXPECT_NEAR(all[1].x[k], mean[k], 1e-6);
  }
}

TEST(EasgdTest, WithoutASpringWorkersAreAloneAndTheCentreIsFrozen) {  // EA-T4
  const Quadratics problem(3, kDimension, 1, 7);
  std::vector<Gradient> gradients = problem.gradients();
  gradients.push_back(nullptr);
  const std::vector<Values> start = CommonStart(4, kDimension, 1);
  // The rule itself refuses a strength of 0: no exchanges is what that means.
  PairSwarm swarm({.rule = MakeElasticMix(0.3), .selector = MakeCentreSelector(), .p = 0}, gradients,
                  start);
  swarm.Run(20);
  EXPECT_EQ(swarm.x()[3], start[3]);
  for (size_t i = 0; i < 3; ++i) {
    Values alone = start[i];
    Values momentum(kDimension);
    for (int t = 0; t < 20; ++t) LocalStep({}, gradients[i](alone), alone, momentum);
    EXPECT_EQ(swarm.x()[i], alone);
  }
}

// The form without a server: every worker holds the centre, and adds up all forces.
TEST(EasgdTest, TheAllReduceFormIsTheServerForm) {  // EA-T6, C13
  constexpr size_t kWorkers = 4;
  constexpr double kAlpha = 0.225;
  const Quadratics problem(kWorkers, kDimension, 1, 7);
  std::vector<PairWorker> server = WorkersAt(CommonStart(kWorkers + 1, kDimension, 1));
  std::vector<Values> x = CommonStart(kWorkers, kDimension, 1);
  Values centre = x[0];
  Values no_momentum(kDimension);
  for (int step = 0; step < 100; ++step) {
    for (size_t i = 0; i < kWorkers; ++i) {
      LocalStep({}, problem.gradients()[i](server[i].x), server[i].x, no_momentum);
      LocalStep({}, problem.gradients()[i](x[i]), x[i], no_momentum);
    }
    ExchangeAtOnce(*MakeElasticMix(kAlpha), server, Star(kWorkers));
    std::vector<double> force(kDimension);
    for (Values& own : x) {
      for (size_t k = 0; k < kDimension; ++k) {
        const double pull = kAlpha * (double{own[k]} - centre[k]);
        own[k] = static_cast<float>(own[k] - pull);
        force[k] += pull;
      }
    }
    for (size_t k = 0; k < kDimension; ++k) centre[k] += static_cast<float>(force[k]);
    std::vector<Values> replicas = x;
    replicas.push_back(centre);
    ASSERT_LT(Difference(replicas, ValuesOf(server)), 1e-6) << step;
  }
}

// ---- Stability (EA-T5, C18): f = h x^2 / 2 in every worker, `rate` = eta h ----------------------------

double Size(const std::vector<PairWorker>& all) {
  double largest = 0;
  for (const PairWorker& worker : all) {
    if (!std::isfinite(worker.x[0])) return 1e30;
    largest = std::max(largest, std::abs(double{worker.x[0]}));
  }
  return largest;
}

std::vector<PairWorker> Scattered(size_t count) {
  return WorkersAt(ScatteredStart(count, 1, 5));
}

// Everything at once: x' = x - rate x - alpha (x - c), c' = c + alpha sum (x - c).
bool SynchronousIsStable(size_t n, double rate, double beta) {
  std::vector<PairWorker> all = Scattered(n + 1);
  const auto rule = MakeElasticMix(beta / static_cast<double>(n));
  for (int round = 0; round < 3000 && Size(all) < 1e6; ++round) {
    const std::vector<PairWorker> before = all;
    ExchangeAtOnce(*rule, all, Star(n));
    for (size_t i = 0; i < n; ++i) all[i].x[0] -= static_cast<float>(rate) * before[i].x[0];
  }
  return Size(all) < 0.1;
}

// One after the other, the gradient at the parameters before the pull.
bool RoundRobinIsStable(size_t n, double rate, double alpha) {
  std::vector<PairWorker> all = Scattered(n + 1);
  const auto rule = MakeElasticMix(alpha);
  for (int turn = 0; turn < 6000 && Size(all) < 1e6; ++turn) {
    PairWorker& worker = all[turn % n];
    Exchange(*rule, worker, all[n], 0,
             [&] { worker.x[0] -= static_cast<float>(rate) * worker.x[0]; });
  }
  return Size(all) < 0.1;
}

TEST(EasgdStabilityTest, TheSynchronousBoundIsExact) {
  for (const size_t n : {2, 4, 7}) {
    for (const double rate : {0.25, 0.5, 1.0, 1.5}) {
      const double bound = (4 - 2 * rate) / (2 - rate + 2.0 / n);
      EXPECT_TRUE(SynchronousIsStable(n, rate, 0.99 * bound)) << n << " " << rate;
      EXPECT_FALSE(SynchronousIsStable(n, rate, 1.01 * bound)) << n << " " << rate;
    }
  }
}

TEST(EasgdStabilityTest, ThePublishedRoundRobinBoundIsExactForOddNumbersOfWorkers) {
  for (const size_t n : {1, 3, 5}) {
    for (const double rate : {0.25, 0.5, 1.0, 1.5}) {
      const double bound = (4 - 2 * rate) / (4 - rate);
      EXPECT_TRUE(RoundRobinIsStable(n, rate, 0.98 * bound)) << n << " " << rate;
      EXPECT_FALSE(RoundRobinIsStable(n, rate, 1.02 * bound)) << n << " " << rate;
    }
  }
}

TEST(EasgdStabilityTest, AndSlightlyTooStrictForTwoWorkers) {
  EXPECT_TRUE(RoundRobinIsStable(2, 1, 0.700));   // the bound says 0.667
  EXPECT_FALSE(RoundRobinIsStable(2, 1, 0.715));  // 0.707 is true
}

}  // namespace
}  // namespace starling
