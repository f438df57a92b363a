// What every row of the registry that makes rounds must hold to, by what it declares: its RoundSpecs run
// in lockstep. A new row is tested here by itself.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tests/conformance/lockstep.h"
#include "tests/conformance/registry_builds.h"

namespace starling {
namespace {

using Sum = AlgorithmGuarantees::Sum;

constexpr size_t kWorkers = 8;
constexpr size_t kDimension = 64;  // a multiple of all fragments

Values MassWeightedMean(const Lockstep& swarm) {
  std::vector<double> sum(kDimension);
  double mass = 0;
  for (size_t i = 0; i < swarm.x().size(); ++i) {
    mass += swarm.mass()[i];
    for (size_t k = 0; k < kDimension; ++k) sum[k] += swarm.mass()[i] * swarm.x()[i][k];
  }
  for (double& value : sum) value /= mass;
  return {sum.begin(), sum.end()};
}

double LargestDifference(const Values& a, const Values& b) { return Difference({a}, {b}); }

class RoundRowsConformanceTest : public ::testing::TestWithParam<std::string> {
 protected:
  struct Run {
    Lockstep swarm;
    uint64_t steps;  // until about `rounds` rounds have ended
  };

  static Lockstep::Options OptionsOf(const Algorithm& algorithm, double momentum = 0) {
    Lockstep::Options options;
    options.rounds = algorithm.rounds;
    options.local.momentum = momentum;
    if (std::any_of(algorithm.rounds.begin(), algorithm.rounds.end(),
                    [](const RoundSpec& spec) { return spec.by_segment; })) {
      options.segments = std::min<uint32_t>(algorithm.segments, kDimension);
    }
    return options;
  }
  // Steps in which each part of the model is mixed `rounds` times; not more than makes a test slow.
  static uint64_t StepsFor(const Algorithm& algorithm, uint64_t rounds) {
    uint64_t steps = 1;
    for (const RoundSpec& spec : algorithm.rounds) {
      const uint64_t each = spec.period > 1000 ? 1 : spec.period * spec.fragments;
      const uint64_t delay = spec.delay == RoundSpec::kBackground ? 3 : spec.delay;
      steps = std::max(steps, std::max(each, std::min<uint64_t>(delay + 1, 100)) * rounds);
    }
    return steps;
  }
  // Calls `check(algorithm, is the default)` for each configuration that eight workers can run.
  template <typename Check>
  void ForEveryBuild(Check check) {
    for (const Build& build : BuildsOf(GetParam(), {.workers = kWorkers})) {
      SCOPED_TRACE(build.config.ShortDebugString());
      if (!build.algorithm.ok() || IsForComparison(build.option)) continue;
      check(*build.algorithm, build.option.empty());
    }
  }

  // Some options show what a mistake that others made does; what they choose is held to nothing.
  static bool IsForComparison(const std::string& name) {
    for (const AlgorithmOptionSpec& option : FindAlgorithm(GetParam())->options) {
      if (option.name == name) return absl::StrContains(option.help, "for comparison only");
    }
    return false;
  }

  const AlgorithmGuarantees& guarantees_ = FindAlgorithm(GetParam())->guarantees;
};

TEST_P(RoundRowsConformanceTest, WithoutLearningTheMeanStaysWhereItIs) {
  ForEveryBuild([&](const Algorithm& algorithm, bool) {
    if (guarantees_.sum != Sum::kConserved && guarantees_.sum != Sum::kWeighted) return;
    Lockstep swarm(OptionsOf(algorithm), ConstantGradients(kWorkers, 0),
                   ScatteredStart(kWorkers, kDimension, 1));
    const Values before = MassWeightedMean(swarm);
    for (int i = 0; i < 4; ++i) {
      swarm.Run(StepsFor(algorithm, 3));
      EXPECT_LT(LargestDifference(MassWeightedMean(swarm), before), 1e-4);
      double mass = 0;
      for (const double each : swarm.mass()) mass += each;
      EXPECT_NEAR(mass, kWorkers, 1e-9);
      if (guarantees_.sum != Sum::kWeighted) {
        for (const double each : swarm.mass()) EXPECT_EQ(each, 1);
      }
    }
  });
}

TEST_P(RoundRowsConformanceTest, WithoutLearningThoseWhoAgreeStayAsTheyAre) {
  if (!guarantees_.agreement_is_fixed) return;
  ForEveryBuild([&](const Algorithm& algorithm, bool) {
    const std::vector<Values> start = CommonStart(kWorkers, kDimension, 2);
    Lockstep swarm(OptionsOf(algorithm), ConstantGradients(kWorkers, 0), start);
    swarm.Run(StepsFor(algorithm, 8));
    EXPECT_LT(Difference(swarm.x(), start), 1e-5);
  });
}

TEST_P(RoundRowsConformanceTest, WithoutLearningPeersComeTogether) {
  if (!guarantees_.contracts) return;
  ForEveryBuild([&](const Algorithm& algorithm, bool is_default) {
    // At the ends of their ranges options may make it slow, or stop it.
    if (!is_default) return;
    const bool of_parameters =
        std::any_of(algorithm.rounds.begin(), algorithm.rounds.end(), [](const RoundSpec& spec) {
          return spec.payload == RoundSpec::Payload::kParameters;
        });
    if (!of_parameters) return;
    Lockstep swarm(OptionsOf(algorithm), ConstantGradients(kWorkers, 0),
                   ScatteredStart(kWorkers, kDimension, 3));
    const double before = Spread(swarm.x());
    const auto halves_in = static_cast<uint64_t>(guarantees_.halves_in);
    swarm.Run(StepsFor(algorithm, halves_in));
    EXPECT_LE(Spread(swarm.x()), 0.5 * before) << "after the " << halves_in << " rounds it declares";
    swarm.Run(StepsFor(algorithm, 150 - halves_in));
    EXPECT_LT(Spread(swarm.x()), 1e-4 * before);
  });
}

TEST_P(RoundRowsConformanceTest, AloneItIsItsLocalOptimizerUnlessItSaysOtherwise) {
  ForEveryBuild([&](const Algorithm& algorithm, bool is_default) {
    const Quadratics problem(1, kDimension, 1, 4);
    const std::vector<Values> start = ScatteredStart(1, kDimension, 5);
    const Lockstep::Options options = OptionsOf(algorithm, 0.5);
    Lockstep swarm(options, problem.gradients(), start);
    Values x = start[0];
    Values momentum(kDimension);
    const uint64_t steps = StepsFor(algorithm, 5);
    for (uint64_t step = 0; step < steps; ++step) {
      LocalStep(options.local, problem.gradients()[0](x), x, momentum);
    }
    swarm.Run(steps);
    if (guarantees_.alone_is_local) {
      EXPECT_LT(Difference(swarm.x(), {x}), 1e-5);
    } else if (is_default) {
      EXPECT_GT(Difference(swarm.x(), {x}), 1e-5) << "it may say alone_is_local";
    }
  });
}

TEST_P(RoundRowsConformanceTest, TheSwarmsMeanMovesAtTheFullLearningRate) {
  if (!guarantees_.alone_is_local) return;  // it has a step length of its own
  ForEveryBuild([&](const Algorithm& algorithm, bool is_default) {
    if (!is_default) return;
    Lockstep swarm(OptionsOf(algorithm), ConstantGradients(kWorkers, 1),
                   ScatteredStart(kWorkers, kDimension, 6));
    const Values before = MassWeightedMean(swarm);
    const uint64_t steps = std::min<uint64_t>(StepsFor(algorithm, 20), 200);
    swarm.Run(steps);
    const Values after = MassWeightedMean(swarm);
    const double expected = 0.1 * static_cast<double>(steps);
    for (size_t k = 0; k < kDimension; ++k) {
      EXPECT_NEAR(before[k] - after[k], expected, 1e-3 * expected);
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Registry, RoundRowsConformanceTest,
                         ::testing::ValuesIn(RowNames([](const Algorithm& algorithm) {
                           return !algorithm.rounds.empty();
                         })),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace starling
