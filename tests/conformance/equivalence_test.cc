// Algorithms that must trace the same path (C10 to C15 and C17), and what a swarm of one is. Those
// of DecentLaM (C14) and EASGD (C13) are with their algorithms.

#include <cmath>
#include <string>

#include "gtest/gtest.h"
#include "peer/gossip/elastic_mix.h"
#include "peer/gossip/pull_mix.h"
#include "peer/gossip/push_sum_mix.h"
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

constexpr size_t kDimension = 12;
constexpr size_t kWorkers = 8;
constexpr LocalOptimizer kLocal = {.rate = 0.02, .momentum = 0.9};

// Paths of 150 steps in float: 1e-6 per step of rounding, damped by the problem.
constexpr double kSame = 5e-6;

std::vector<Values> After(std::vector<RoundSpec> rounds, uint32_t segments = 1) {
  Lockstep swarm({.local = kLocal, .rounds = std::move(rounds), .segments = segments},
                 Quadratics(kWorkers, kDimension, 1, 7).gradients(),
                 CommonStart(kWorkers, kDimension, 1));
  swarm.Run(150);
  return swarm.x();
}

RoundSpec Gradients(std::shared_ptr<const Topology> topology) {
  RoundSpec spec = Gossip(std::move(topology));
  spec.payload = RoundSpec::Payload::kGradient;
  return spec;
}

TEST(EquivalenceTest, ExactMeansAfterEveryStepAreAllOneAlgorithm) {  // C10
  const std::vector<Values> all_reduce = After({Gradients(MakeEveryone())});
  RoundSpec pga = Gossip(MakeOnePeerExponential());
  pga.global_every = 1;
  EXPECT_LT(Difference(After({pga}), all_reduce), kSame) << "Gossip-PGA, H = 1";
  EXPECT_LT(Difference(After({Gossip(MakeEveryone())}), all_reduce), kSame) << "Local SGD, H = 1";
  EXPECT_LT(Difference(After({Gossip(MakeComplete())}), all_reduce), kSame) << "D-PSGD, W = 1/n";
  const RoundSpec diloco = Outer(Shared(MakeEveryone()), 1,
                                 [](size_t n) { return MakeNesterovOuter(n, 1, 0, 0); });
  EXPECT_LT(Difference(After({diloco}), all_reduce), kSame) << "DiLoCo";
}

TEST(EquivalenceTest, WithoutGlobalRoundsGossipPgaIsGossip) {  // C10
  RoundSpec pga = Gossip(MakeOnePeerExponential());
  pga.global_every = uint64_t{1} << 40;
  EXPECT_EQ(After({pga}), After({Gossip(MakeOnePeerExponential())}));
}

// Every matching as pair exchanges, as rounds, and with GASLoC's Laplacian.
TEST(EquivalenceTest, OnMatchingsElasticGossipAtHalfIsPairAveragingIsGasloc) {  // C11
  const Quadratics problem(kWorkers, kDimension, 1, 7);
  const auto matching = Shared(MakeOnePeerRing());
  std::vector<PairWorker> elastic = WorkersAt(CommonStart(kWorkers, kDimension, 1));
  std::vector<Values> momentum(kWorkers, Values(kDimension));
  for (uint64_t round = 0; round < 150; ++round) {
    for (size_t i = 0; i < kWorkers; ++i) {
      LocalStep(kLocal, problem.gradients()[i](elastic[i].x), elastic[i].x, momentum[i]);
    }
    for (size_t i = 0; i < kWorkers; ++i) {
      const size_t partner =
          matching->Of({.members = kWorkers, .self = i, .round = round, .seed = 1}).out[0];
      if (i < partner) Exchange(*MakeElasticMix(0.5), elastic[i], elastic[partner]);
    }
  }
  const std::vector<Values> pairs = After({Gossip(matching)});
  EXPECT_LT(Difference(ValuesOf(elastic), pairs), kSame);
  const RoundSpec gasloc =
      Outer(matching, 1, [](size_t n) { return MakeGaslocOuter(n, 1, 1, 0); });
  EXPECT_LT(Difference(After({gasloc}), pairs), kSame);
}

TEST(EquivalenceTest, GoSgdThatPushesAfterEveryStepIsSgp) {  // C12
  const Quadratics problem(kWorkers, kDimension, 1, 7);
  const auto push = MakeRandomPush();
  Lockstep sgp({.local = kLocal, .rounds = {PushSum(push)}}, problem.gradients(),
               CommonStart(kWorkers, kDimension, 1));
  std::vector<PairWorker> gosgd = WorkersAt(CommonStart(kWorkers, kDimension, 1));
  std::vector<Values> momentum(kWorkers, Values(kDimension));
  for (uint64_t round = 0; round < 100; ++round) {
    sgp.Step();
    std::vector<std::pair<size_t, size_t>> edges;
    for (size_t i = 0; i < kWorkers; ++i) {
      LocalStep(kLocal, problem.gradients()[i](gosgd[i].x), gosgd[i].x, momentum[i]);
      edges.emplace_back(
          i, push->Of({.members = kWorkers, .self = i, .round = round, .seed = 1}).out[0]);
    }
    ExchangeAtOnce(*MakePushSumMix(), gosgd, edges);
    ASSERT_LT(Difference(ValuesOf(gosgd), sgp.x()), kSame) << round;
    for (size_t i = 0; i < kWorkers; ++i) ASSERT_NEAR(gosgd[i].mass, sgp.mass()[i], 1e-9);
  }
}

// Groups average gradients inside and cross over their parameters with other groups.
std::vector<RoundSpec> Hierarchy(uint64_t group_size) {
  return {Gradients(MakeGroups(group_size)),
          Gossip(MakeBetweenGroups(group_size, MakeRandomDerangement()))};
}

TEST(EquivalenceTest, CrossoverInGroupsOfOneIsGossipAndInOneGroupAllReduce) {  // C15
  EXPECT_LT(Difference(After(Hierarchy(1)), After({Gossip(MakeRandomDerangement())})), kSame);
  EXPECT_LT(Difference(After(Hierarchy(kWorkers)), After({Gradients(MakeEveryone())})), kSame);
  // Four groups of two stay equal within, and differ between.
  const std::vector<Values> groups = After(Hierarchy(2));
  EXPECT_LT(Difference({groups[0]}, {groups[1]}), kSame);
  EXPECT_GT(Difference({groups[0]}, {groups[2]}), 1e-3);
}

TEST(EquivalenceTest, SegmentsMixEachWithItsOwnPartnerAndLeaveTheMean) {  // C15
  const std::vector<Values> start = ScatteredStart(kWorkers, kDimension, 1);
  auto mixed = [&](uint32_t segments) {
    Lockstep swarm({.rounds = {Gossip(MakeRandomDerangement())}, .segments = segments},
                   ConstantGradients(kWorkers, 0), start);
    swarm.Step();
    return swarm.x();
  };
  const std::vector<Values> whole = mixed(1);
  const std::vector<Values> parts = mixed(4);
  for (size_t k = 0; k < kDimension; ++k) EXPECT_NEAR(Mean(parts)[k], Mean(start)[k], 1e-6);
  double first = 0;
  double rest = 0;
  for (size_t i = 0; i < kWorkers; ++i) {
    for (size_t k = 0; k < kDimension; ++k) {
      (k < kDimension / 4 ? first : rest) += std::abs(double{whole[i][k]} - parts[i][k]);
    }
  }
  EXPECT_LT(first, 1e-9);  // segment 0 of 4 draws as segment 0 of 1 does
  EXPECT_GT(rest, 1);
}

// ---- A swarm of one (C17) -----------------------------------------------------------------------

struct Alone {
  std::string name;
  RoundSpec spec;
  // Outer optimizers that accelerate, or damp, have a path of their own.
  bool is_local = true;
};

std::vector<Alone> Everything() {
  const auto ring = Shared(MakeRing());
  const auto everyone = Shared(MakeEveryone());
  RoundSpec pga = Gossip(ring);
  pga.global_every = 6;
  RoundSpec meanwhile = Gossip(ring);
  meanwhile.delay = 1;
  RoundSpec background = Gossip(everyone);
  background.delay = RoundSpec::kBackground;
  RoundSpec sharing = Gossip(MakeHypercube());
  sharing.outer = [](size_t, bool has_momentum) { return MakeMomentumSharingOuter(has_momentum); };
  RoundSpec overwrite = meanwhile;
  overwrite.outer = [](size_t, bool) { return MakeOverwriteOuter(); };
  auto outer = [&](auto make) { return Outer(everyone, 4, make); };
  return {
      {"gradients", Gradients(everyone)},
      {"ring", Gossip(ring)},
      {"derangement", Gossip(MakeRandomDerangement())},
      {"pga", pga},
      {"meanwhile", meanwhile},
      {"background", background},
      {"push_sum", PushSum(MakeOnePeerExponential())},
      {"sharing", sharing},
      {"slowmo_plain", outer([](size_t n) { return MakeSlowMomentumOuter(n, 0, 1); })},
      {"diloco_plain", outer([](size_t n) { return MakeNesterovOuter(n, 1, 0, 0); })},
      {"streaming_plain", outer([](size_t n) { return MakeNesterovOuter(n, 1, 0, 0.5); })},
      {"noloco_plain", outer([](size_t n) { return MakeNoLoCoOuter(n, 0, 1, 0.7); })},
      {"gasloc_plain", outer([](size_t n) { return MakeGaslocOuter(n, 1, 1, 0); })},
      {"slowmo", outer([](size_t n) { return MakeSlowMomentumOuter(n, 0.5, 1); }), false},
      {"diloco", outer([](size_t n) { return MakeNesterovOuter(n, 0.7, 0.9, 0); }), false},
      {"noloco", outer([](size_t n) { return MakeNoLoCoOuter(n, 0.5, 0.7, 0.7); }), false},
      {"gasloc", outer([](size_t n) { return MakeGaslocOuter(n, 0.8, 1, 0.3); }), false},
      // Nobody is the other: half of every step goes.
      {"overwrite", overwrite, false},
  };
}

TEST(AloneTest, EveryRoundIsTheLocalOptimizerUnlessDeclared) {
  const Gradient gradient = Quadratics(1, kDimension, 1, 7).gradients()[0];
  const std::vector<Values> start = CommonStart(1, kDimension, 1);
  Values x = start[0];
  Values momentum(kDimension);
  for (int t = 0; t < 50; ++t) LocalStep(kLocal, gradient(x), x, momentum);
  for (const Alone& alone : Everything()) {
    Lockstep swarm({.local = kLocal, .rounds = {alone.spec}}, {gradient}, start);
    swarm.Run(50);
    EXPECT_EQ(Difference(swarm.x(), {x}) < kSame, alone.is_local)
        << alone.name << " is off by " << Difference(swarm.x(), {x});
  }
}

TEST(AloneTest, EveryExchangeIsTheLocalOptimizer) {
  const Gradient gradient = Quadratics(1, kDimension, 1, 7).gradients()[0];
  const std::vector<Values> start = CommonStart(1, kDimension, 1);
  Values x = start[0];
  Values momentum(kDimension);
  for (int t = 0; t < 50; ++t) LocalStep(kLocal, gradient(x), x, momentum);
  const std::vector<std::shared_ptr<const PeerSelector>> selectors = {
      MakeUniformSelector(), MakeCentreSelector(), MakeLeaderSelector(2, 4),
      MakeTopologySelector(MakeRing(), 1), MakeDistanceSelector(1, 1)};
  for (const auto& rule : {MakeElasticMix(0.5), MakePullMix(), MakePushSumMix()}) {
    for (const auto& selector : selectors) {
      PairSwarm swarm({.local = kLocal, .rule = rule, .selector = selector}, {gradient}, start);
      swarm.Run(50);
      EXPECT_EQ(swarm.x()[0], x);
    }
  }
}

}  // namespace
}  // namespace starling
