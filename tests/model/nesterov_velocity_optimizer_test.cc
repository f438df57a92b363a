#include <cmath>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "model/optimizer.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

std::unique_ptr<Optimizer> Make(const std::string& name, size_t elements, double momentum,
                                double weight_decay = 0) {
  v1::OptimizerConfig config;
  config.set_name(name);
  config.set_learning_rate(0.1);
  config.set_momentum(momentum);
  config.set_weight_decay(weight_decay);
  return std::move(MakeOptimizer(config, elements).value());
}

void Step(Optimizer& optimizer, float* x, float gradient) {
  optimizer.Step(absl::MakeSpan(x, 1), absl::MakeConstSpan(&gradient, 1));
}

TEST(NesterovVelocityOptimizerTest, StepsAsComputedByHand) {
  const std::unique_ptr<Optimizer> optimizer = Make("nesterov_velocity", 1, 0.5);
  float x = 1;
  optimizer->Prepare(absl::MakeSpan(&x, 1));
  EXPECT_FLOAT_EQ(x, 1);
  Step(*optimizer, &x, 2);
  EXPECT_FLOAT_EQ(x, 0.8f);
  EXPECT_FLOAT_EQ(optimizer->momentum()[0], -0.2f);

  optimizer->Prepare(absl::MakeSpan(&x, 1));
  EXPECT_FLOAT_EQ(x, 0.7f);
  Step(*optimizer, &x, 1);
  EXPECT_FLOAT_EQ(x, 0.6f);
  EXPECT_FLOAT_EQ(optimizer->momentum()[0], -0.2f);

  // Half the rate: the velocity that enters the step is half of what it was.
  optimizer->Prepare(absl::MakeSpan(&x, 1));
  EXPECT_FLOAT_EQ(x, 0.5f);
  optimizer->set_rate_scale(0.5);
  Step(*optimizer, &x, 4);
  EXPECT_FLOAT_EQ(x, 0.3f);
  EXPECT_FLOAT_EQ(optimizer->momentum()[0], -0.25f);
}

TEST(NesterovVelocityOptimizerTest, WeightDecayIsAddedToTheGradientAtThePointAhead) {
  const std::unique_ptr<Optimizer> optimizer = Make("nesterov_velocity", 1, 0.5, 0.5);
  float x = 1;
  optimizer->momentum()[0] = 2;
  optimizer->Prepare(absl::MakeSpan(&x, 1));
  Step(*optimizer, &x, 3);
  EXPECT_FLOAT_EQ(x, 2 - 0.1f * (3 + 0.5f * 2));
}

// Where gradients are computed, both forms are at the same point. The scale of the rate in each
// step comes from `scale_at`; `late` sets it after Prepare rather than before.
template <typename ScaleAt>
void ExpectTheSamePointsAsNesterov(bool late, ScaleAt scale_at) {
  constexpr size_t kElements = 37;
  constexpr int kSteps = 300;
  const std::unique_ptr<Optimizer> buffer = Make("nesterov", kElements, 0.9, 0.001);
  const std::unique_ptr<Optimizer> velocity = Make("nesterov_velocity", kElements, 0.9, 0.001);
  Random random(5);
  std::vector<float> x(kElements);
  for (float& value : x) value = static_cast<float>(random.Normal());
  std::vector<float> y = x;
  std::vector<float> gradient(kElements);
  for (int step = 0; step < kSteps; ++step) {
    buffer->set_rate_scale(scale_at(step));
    if (!late) velocity->set_rate_scale(scale_at(step));
    velocity->Prepare(absl::MakeSpan(y));
    if (late) velocity->set_rate_scale(scale_at(step));
    for (size_t i = 0; i < kElements; ++i) {
      ASSERT_NEAR(x[i], y[i], 1e-6) << "step " << step << " element " << i;
    }
    const auto noise = [&] { return 0.1f * static_cast<float>(random.Normal()); };
    for (size_t i = 0; i < kElements; ++i) gradient[i] = (i % 2 ? 0.5f : 0.1f) * x[i] + noise();
    buffer->Step(absl::MakeSpan(x), gradient);
    velocity->Step(absl::MakeSpan(y), gradient);
  }
}

TEST(NesterovVelocityOptimizerTest, VisitsTheSamePointsAsTheBufferForm) {
  ExpectTheSamePointsAsNesterov(false, [](int) { return 1.0; });
}

// DM-T3: a ramp to twice the rate, a jump down, a decay.
TEST(NesterovVelocityOptimizerTest, VisitsTheSamePointsAsTheBufferFormWhileTheRateChanges) {
  for (bool late : {false, true}) {
    ExpectTheSamePointsAsNesterov(late, [](int step) {
      if (step < 50) return 1.0;
      if (step < 100) return 1 + 0.02 * (step - 50);
      if (step < 200) return 2.0;
      if (step < 250) return 0.25;
      return 0.25 * (300 - step) / 50;
    });
  }
}

TEST(NesterovVelocityOptimizerTest, MixingBetweenStepsMovesTheParametersAndNotTheVelocity) {
  const std::unique_ptr<Optimizer> plain = Make("nesterov_velocity", 1, 0.9);
  const std::unique_ptr<Optimizer> mixed = Make("nesterov_velocity", 1, 0.9);
  float x = 1;
  float y = 1;
  for (int step = 0; step < 10; ++step) {
    plain->Prepare(absl::MakeSpan(&x, 1));
    mixed->Prepare(absl::MakeSpan(&y, 1));
    Step(*plain, &x, 0.5f);
    Step(*mixed, &y, 0.5f);
    EXPECT_EQ(plain->momentum()[0], mixed->momentum()[0]);
    y -= 0.125f;
  }
  EXPECT_NEAR(x - y, 10 * 0.125f, 1e-5);
}

TEST(NesterovVelocityOptimizerTest, RateOfZeroBringsItToRestFromWhereItCanStartAgain) {
  const std::unique_ptr<Optimizer> optimizer = Make("nesterov_velocity", 1, 0.9);
  float x = 1;
  Step(*optimizer, &x, 2);
  optimizer->set_rate_scale(0);
  Step(*optimizer, &x, 2);
  EXPECT_EQ(optimizer->momentum()[0], 0);
  const float at_rest = x;
  optimizer->set_rate_scale(1);
  optimizer->Prepare(absl::MakeSpan(&x, 1));
  EXPECT_EQ(x, at_rest);
  Step(*optimizer, &x, 2);
  EXPECT_FLOAT_EQ(x, at_rest - 0.2f);
  EXPECT_FLOAT_EQ(optimizer->momentum()[0], -0.2f);
}

}  // namespace
}  // namespace starling
