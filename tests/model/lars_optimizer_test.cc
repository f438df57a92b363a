#include <cmath>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "model/optimizer.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

constexpr double kRate = 0.5;
constexpr double kTrust = 0.01;

std::unique_ptr<Optimizer> Make(size_t elements, std::vector<LayerSpan> layers,
                                double weight_decay = 0) {
  v1::OptimizerConfig config;
  config.set_name("lars");
  config.set_learning_rate(kRate);
  config.set_trust(kTrust);
  config.set_momentum(0.5);
  config.set_weight_decay(weight_decay);
  return std::move(MakeOptimizer(config, elements, std::move(layers)).value());
}

double Norm(const std::vector<float>& values, size_t begin, size_t end) {
  double sum = 0;
  for (size_t i = begin; i < end; ++i) sum += static_cast<double>(values[i]) * values[i];
  return std::sqrt(sum);
}

TEST(LarsOptimizerTest, StepsAsComputedByHand) {
  const std::unique_ptr<Optimizer> optimizer = Make(2, {});
  std::vector<float> x = {3, 4};
  // |x| = 5, |g| = 2, hence r = 0.025 and m = {0, 0.05}.
  optimizer->Step(absl::MakeSpan(x), {0, 2});
  EXPECT_FLOAT_EQ(x[0], 3);
  EXPECT_FLOAT_EQ(x[1], 3.975f);
  EXPECT_FLOAT_EQ(optimizer->momentum()[1], 0.05f);
  // |x| = sqrt(24.800625) = 4.980023, |g| = 10, r = 0.004980023, m = {0.0498002, 0.025}.
  optimizer->Step(absl::MakeSpan(x), {10, 0});
  EXPECT_NEAR(x[0], 2.975100, 1e-6);
  EXPECT_NEAR(x[1], 3.9625, 1e-6);
}

TEST(LarsOptimizerTest, FirstStepOfALayerIsInProportionToItsWeightsWhateverItsGradient) {
  constexpr size_t kFirst = 37;
  constexpr size_t kAll = 37 + 200;
  Random random(1);
  std::vector<float> before(kAll);
  for (float& value : before) value = static_cast<float>(random.Normal());
  std::vector<float> gradients(kAll);
  for (size_t i = 0; i < kAll; ++i) {
    gradients[i] = static_cast<float>((i < kFirst ? 1e-3 : 1e3) * random.Normal());
  }
  const std::unique_ptr<Optimizer> optimizer =
      Make(kAll, {{.length = kFirst}, {.offset = kFirst, .length = kAll - kFirst}});
  std::vector<float> after = before;
  optimizer->Step(absl::MakeSpan(after), gradients);
  std::vector<float> step(kAll);
  for (size_t i = 0; i < kAll; ++i) step[i] = before[i] - after[i];
  for (const auto& [begin, end] : {std::pair(size_t{0}, kFirst), std::pair(kFirst, kAll)}) {
    const double length = Norm(step, begin, end);
    EXPECT_NEAR(length, kRate * kTrust * Norm(before, begin, end), 1e-3 * length);
    // ... along the gradient.
    for (size_t i = begin; i < end; ++i) {
      EXPECT_NEAR(step[i] / length, gradients[i] / Norm(gradients, begin, end), 1e-3);
    }
  }
}

TEST(LarsOptimizerTest, WeightDecayIsPartOfTheStepAndOfItsMeasure) {
  const std::unique_ptr<Optimizer> optimizer = Make(2, {}, 0.1);
  std::vector<float> x = {3, 4};
  optimizer->Step(absl::MakeSpan(x), {0, 2});
  const double ratio = kTrust * 5 / (2 + 0.1 * 5);
  EXPECT_NEAR(x[0], 3 - kRate * ratio * (0 + 0.1 * 3), 1e-6);
  EXPECT_NEAR(x[1], 4 - kRate * ratio * (2 + 0.1 * 4), 1e-6);
}

TEST(LarsOptimizerTest, BiasesTakeThePlainRate) {
  const std::unique_ptr<Optimizer> optimizer =
      Make(4, {{.length = 2}, {.offset = 2, .length = 2, .weights = false}});
  std::vector<float> x = {3, 4, 3, 4};
  optimizer->Step(absl::MakeSpan(x), {0, 2, 0, 2});
  EXPECT_FLOAT_EQ(x[1], 3.975f);
  EXPECT_FLOAT_EQ(x[3], 3);
}

TEST(LarsOptimizerTest, LayerOfZerosTakesThePlainRateInsteadOfStandingStillForEver) {
  const std::unique_ptr<Optimizer> optimizer = Make(2, {});
  std::vector<float> x = {0, 0};
  optimizer->Step(absl::MakeSpan(x), {1, -2});
  EXPECT_FLOAT_EQ(x[0], -0.5f);
  EXPECT_FLOAT_EQ(x[1], 1);
}

}  // namespace
}  // namespace starling
