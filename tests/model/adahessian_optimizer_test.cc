#include <cmath>
#include <memory>
#include <numeric>
#include <vector>

#include "gtest/gtest.h"
#include "model/curvature_probe.h"
#include "model/optimizer.h"
#include "model/quadratic_model.h"
#include "model/synthetic_dataset.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

// So small that it is 0 beside a float, where the configuration takes 0 for "the default".
constexpr double kAlmostZero = 1e-30;

v1::OptimizerConfig Config(double rate, double epsilon) {
  v1::OptimizerConfig config;
  config.set_name("adahessian");
  config.set_learning_rate(rate);
  config.set_epsilon(epsilon);
  return config;
}

std::unique_ptr<Optimizer> Make(const v1::OptimizerConfig& config, size_t elements,
                                std::vector<LayerSpan> layers = {}) {
  return std::move(MakeOptimizer(config, elements, std::move(layers)).value());
}

void Step(Optimizer& optimizer, float* x, float gradient, float hessian_probe) {
  optimizer.SetCurvature(absl::MakeConstSpan(&hessian_probe, 1));
  optimizer.Step(absl::MakeSpan(x, 1), absl::MakeConstSpan(&gradient, 1));
}

TEST(AdaHessianOptimizerTest, StepsAsComputedByHand) {
  v1::OptimizerConfig config = Config(0.1, 0.5);
  config.set_beta1(0.5);
  config.set_beta2(0.75);
  config.set_weight_decay(0.1);
  const std::unique_ptr<Optimizer> optimizer = Make(config, 1);
  float x = 1;
  // m = 1, m' = 2; v = 2.25, sqrt(v') = 3: x -= 0.1 (2 / 3.5 + 0.1 x).
  Step(*optimizer, &x, 2, -3);
  EXPECT_NEAR(x, 0.932857, 1e-6);
  EXPECT_FLOAT_EQ(optimizer->momentum()[0], 1);
  // m = 1, m' = 4 / 3; v = 1.9375, sqrt(v') = 2.104417: x -= 0.1 (1.333333 / 2.604417 + 0.1 x).
  Step(*optimizer, &x, 1, 1);
  EXPECT_NEAR(x, 0.872333, 1e-6);
}

TEST(AdaHessianOptimizerTest, HessianPowerIsTheExponentOfTheCurvature) {
  v1::OptimizerConfig config = Config(0.1, kAlmostZero);
  config.set_hessian_power(0.5);
  const std::unique_ptr<Optimizer> optimizer = Make(config, 1);
  float x = 1;
  Step(*optimizer, &x, 2, 16);
  EXPECT_NEAR(x, 1 - 0.1 * 2 / 4, 1e-6);
}

// DW-T4
TEST(AdaHessianOptimizerTest, WithoutCurvatureItIsBiasCorrectedMomentum) {
  v1::OptimizerConfig config = Config(0.1, kAlmostZero);
  config.set_hessian_power(kAlmostZero);
  const std::unique_ptr<Optimizer> optimizer = Make(config, 1);
  Random random(3);
  float x = 1;
  double reference = 1;
  double moment = 0;
  for (int step = 1; step <= 50; ++step) {
    const double gradient = random.Normal();
    Step(*optimizer, &x, static_cast<float>(gradient), static_cast<float>(random.Normal()));
    moment = 0.9 * moment + 0.1 * gradient;
    reference -= 0.1 * moment / (1 - std::pow(0.9, step));
    ASSERT_NEAR(x, reference, 1e-5) << "step " << step;
  }
}

// DW-T3: the diagonal that the optimizer divides by is exact whatever the probe, so one step of
// rate 1 is Newton's and ends at the mean of the batch.
TEST(AdaHessianOptimizerTest, OneStepSolvesAQuadraticWithADiagonalHessianForAnyProbe) {
  constexpr size_t kDimension = 8;
  const SyntheticDataset data({.examples = 10, .shape = {kDimension}});
  std::vector<uint32_t> all(data.size());
  std::iota(all.begin(), all.end(), 0u);
  Batch batch;
  data.Gather(all, &batch);
  const std::vector<double> optimum = QuadraticModel::Optimum(data, kDimension);
  for (uint64_t seed = 0; seed < 20; ++seed) {
    QuadraticModel model(kDimension, kDimension, 1);
    CurvatureProbe probe(Random(seed), kDimension);
    std::vector<float> hessian_probe(kDimension);
    ASSERT_TRUE(model.ComputeGradientsAndCurvature(batch, probe.Draw(),
                                                   absl::MakeSpan(hessian_probe)).ok());
    for (size_t i = 0; i < kDimension; ++i) {
      EXPECT_FLOAT_EQ(std::abs(hessian_probe[i]),
                      static_cast<float>(0.5 * std::pow(4.0, static_cast<double>(i) / 7)));
    }
    const std::unique_ptr<Optimizer> optimizer =
        Make(Config(1, kAlmostZero), kDimension, model.layers());
    optimizer->SetCurvature(hessian_probe);
    optimizer->Step(model.parameters(), model.gradients());
    for (size_t i = 0; i < kDimension; ++i) {
      EXPECT_NEAR(model.parameters()[i], optimum[i], 1e-5) << "seed " << seed;
    }
  }
}

TEST(AdaHessianOptimizerTest, CurvatureIsAveragedOverEachKernelAndNothingElse) {
  const std::unique_ptr<Optimizer> optimizer =
      Make(Config(0.1, kAlmostZero), 7,
           {{.offset = 0, .length = 1, .weights = false},
            {.offset = 1, .length = 4, .kernel = 2},
            {.offset = 5, .length = 2}});
  const std::vector<float> hessian_probe = {9, 1, -3, 0, 8, -5, 6};
  const std::vector<float> mean_size = {9, 2, 2, 4, 4, 5, 6};
  std::vector<float> x(7, 1.0f);
  optimizer->SetCurvature(hessian_probe);
  optimizer->Step(absl::MakeSpan(x), mean_size);  // as the gradient: each step is the rate
  for (float value : x) EXPECT_NEAR(value, 0.9, 1e-6);
}

TEST(AdaHessianOptimizerDeathTest, StepWithoutFreshCurvatureIsABug) {
  const std::unique_ptr<Optimizer> optimizer = Make(Config(0.1, 1e-4), 1);
  float x = 1;
  const float gradient = 1;
  Step(*optimizer, &x, 1, 1);
  EXPECT_DEATH(optimizer->Step(absl::MakeSpan(&x, 1), absl::MakeConstSpan(&gradient, 1)),
               "has_curvature_");
}

}  // namespace
}  // namespace starling
