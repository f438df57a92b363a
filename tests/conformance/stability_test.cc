// How hard pairs may pull before the swarm flies apart (EA-T5, C18, C19). The outer optimizers'
// limits (C20) are in outer_conformance_test.cc, those of exchanges that take time in
// async_exchange_test.cc.

#include <algorithm>
#include <cmath>

#include "gtest/gtest.h"
#include "peer/gossip/elastic_mix.h"
#include "tests/conformance/pair_swarm.h"

namespace starling {
namespace {

// Every one of `leaves` with the last.
std::vector<std::pair<size_t, size_t>> Star(size_t leaves) {
  std::vector<std::pair<size_t, size_t>> edges;
  for (size_t i = 0; i < leaves; ++i) edges.emplace_back(i, leaves);
  return edges;
}

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

// ---- EASGD: f = h x^2 / 2 in every worker, `rate` = eta h ---------------------------------------

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

// ---- Elastic Gossip: no gradients, all leaves ask the hub ---------------------------------------

double SpreadAfter(size_t leaves, double alpha, bool at_once) {
  std::vector<PairWorker> all = WorkersAt(ScatteredStart(leaves + 1, 4, 5));
  const auto rule = MakeElasticMix(alpha);
  for (int round = 0; round < 2000 && Size(all) < 1e6; ++round) {
    if (at_once) {
      ExchangeAtOnce(*rule, all, Star(leaves));
    } else {
      for (size_t i = 0; i < leaves; ++i) Exchange(*rule, all[i], all[leaves]);
    }
  }
  return Spread(ValuesOf(all));
}

TEST(ElasticStabilityTest, AStarThatMixesAtOnceIsStableUpToTwoOverItsMembers) {
  for (const size_t leaves : {2, 3, 5, 7}) {
    const double bound = 2.0 / (leaves + 1);
    EXPECT_LT(SpreadAfter(leaves, 0.99 * bound, true), 1e-6) << leaves;
    EXPECT_GT(SpreadAfter(leaves, 1.01 * bound, true), 1e3) << leaves;
  }
}

TEST(ElasticStabilityTest, OneAfterTheOtherHalfIsStableForEveryStar) {
  for (const size_t leaves : {2, 3, 5, 7, 20}) {
    EXPECT_LT(SpreadAfter(leaves, 0.5, false), 1e-9) << leaves;
  }
}

}  // namespace
}  // namespace starling
