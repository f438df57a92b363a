// EASGD: workers tied by springs to a centre, which is a worker that does not learn. EA-T1 to EA-T4
// and EA-T6; EA-T5 is in stability_test.cc.

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
  PairSwarm swarm({.rule = MakeElasticMix(0.3), .selector = MakeCentreSelector(), .p = 0},
                  gradients, start);
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

}  // namespace
}  // namespace starling
