#include "model/optimizer.h"

#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace starling {
namespace {

using ::testing::HasSubstr;

v1::OptimizerConfig Named(const std::string& name) {
  v1::OptimizerConfig config;
  config.set_name(name);
  return config;
}

void ExpectInvalid(const v1::OptimizerConfig& config, const std::string& message) {
  for (const absl::Status& status :
       {CompleteOptimizerConfig(config).status(), MakeOptimizer(config, 1).status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << config.DebugString();
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
  }
}

TEST(OptimizerTest, CompletingFillsInDefaultsAndKeepsTheRest) {
  v1::OptimizerConfig config = Named("nesterov");
  config.set_learning_rate(0.3);
  absl::StatusOr<v1::OptimizerConfig> complete = CompleteOptimizerConfig(config);
  ASSERT_TRUE(complete.ok()) << complete.status();
  EXPECT_EQ(complete->learning_rate(), 0.3);
  EXPECT_EQ(complete->momentum(), 0.9);
  EXPECT_EQ(complete->beta1(), 0);
  EXPECT_EQ(complete->weight_decay(), 0);

  absl::StatusOr<v1::OptimizerConfig> again = CompleteOptimizerConfig(*complete);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->SerializeAsString(), complete->SerializeAsString());
}

TEST(OptimizerTest, AdamWDefaults) {
  absl::StatusOr<v1::OptimizerConfig> complete = CompleteOptimizerConfig(Named("adamw"));
  ASSERT_TRUE(complete.ok()) << complete.status();
  EXPECT_EQ(complete->learning_rate(), 0.001);
  EXPECT_EQ(complete->beta1(), 0.9);
  EXPECT_EQ(complete->beta2(), 0.999);
  EXPECT_EQ(complete->epsilon(), 1e-8);
}

TEST(OptimizerTest, UnknownNameSuggestsTheNearest) {
  ExpectInvalid(Named("nestrov"), "did you mean \"nesterov\"?");
  ExpectInvalid(Named(""), "known: sgd, nesterov, adamw");
}

TEST(OptimizerTest, ValuesOutOfRangeAreNamed) {
  for (double bad : {-0.1, 1e6, std::numeric_limits<double>::quiet_NaN(),
                     std::numeric_limits<double>::infinity()}) {
    v1::OptimizerConfig config = Named("adamw");
    config.set_learning_rate(bad);
    ExpectInvalid(config, "optimizer.learning_rate");
    config = Named("adamw");
    config.set_beta2(bad);
    ExpectInvalid(config, "optimizer.beta2");
    config = Named("sgd");
    config.set_weight_decay(bad);
    ExpectInvalid(config, "optimizer.weight_decay");
    config = Named("sgd");
    config.set_decay_share(bad);
    ExpectInvalid(config, "optimizer.decay_share");
  }
}

TEST(OptimizerTest, OptionOfAnotherOptimizerIsRefused) {
  v1::OptimizerConfig config = Named("sgd");
  config.set_momentum(0.9);
  ExpectInvalid(config, "optimizer.momentum is 0.9, but sgd has no such option");
}

TEST(OptimizerTest, ZeroGradientsAndNoHistoryLeaveTheParametersAlone) {
  for (const char* name : {"sgd", "nesterov", "adamw"}) {
    auto optimizer = MakeOptimizer(Named(name), 5);
    ASSERT_TRUE(optimizer.ok()) << optimizer.status();
    EXPECT_EQ((*optimizer)->name(), name);
    std::vector<float> parameters = {1, -2, 3, 0, 1e30f};
    const std::vector<float> before = parameters;
    (*optimizer)->Step(absl::MakeSpan(parameters), std::vector<float>(5));
    EXPECT_EQ(parameters, before) << name;
  }
}

TEST(OptimizerTest, RateScaleScalesTheNextStep) {
  for (const char* name : {"sgd", "nesterov", "adamw"}) {
    auto whole = MakeOptimizer(Named(name), 1);
    auto half = MakeOptimizer(Named(name), 1);
    ASSERT_TRUE(whole.ok() && half.ok());
    float x = 0;
    float y = 0;
    const float gradient = 2;
    for (double scale : {0.5, 0.25}) {
      const float x_before = x;
      const float y_before = y;
      (*half)->set_rate_scale(scale);
      (*whole)->Step(absl::MakeSpan(&x, 1), absl::MakeConstSpan(&gradient, 1));
      (*half)->Step(absl::MakeSpan(&y, 1), absl::MakeConstSpan(&gradient, 1));
      EXPECT_NEAR(y - y_before, scale * (x - x_before), 1e-6) << name;
      EXPECT_LT(y, y_before) << name;
    }
  }
}

TEST(OptimizerTest, RateFallsInAStraightLineOverTheLastShareOfTheRun) {
  EXPECT_EQ(RateScaleAt(0, 100, 0.25), 1);
  EXPECT_EQ(RateScaleAt(75, 100, 0.25), 1);
  EXPECT_DOUBLE_EQ(RateScaleAt(80, 100, 0.25), 0.8);
  EXPECT_DOUBLE_EQ(RateScaleAt(99, 100, 0.25), 0.04);
  EXPECT_EQ(RateScaleAt(100, 100, 0.25), 0);
  EXPECT_EQ(RateScaleAt(1000, 100, 0.25), 0);
  EXPECT_DOUBLE_EQ(RateScaleAt(50, 100, 1), 0.5);
  EXPECT_EQ(RateScaleAt(99, 100, 0), 1);
  EXPECT_EQ(RateScaleAt(99, 0, 0.25), 1);
}

// What gossip adds to the parameters between two steps must not enter the momentum.
TEST(OptimizerTest, StepDoesNotDependOnWhatMixingDidToTheParameters) {
  for (const char* name : {"sgd", "nesterov", "adamw"}) {
    auto plain = MakeOptimizer(Named(name), 1);
    auto mixed = MakeOptimizer(Named(name), 1);
    ASSERT_TRUE(plain.ok() && mixed.ok());
    float x = 0.5f;
    float y = 0.5f;
    for (int step = 0; step < 10; ++step) {
      const float gradient = 0.25f * static_cast<float>(step % 3);
      (*plain)->Step(absl::MakeSpan(&x, 1), absl::MakeConstSpan(&gradient, 1));
      (*mixed)->Step(absl::MakeSpan(&y, 1), absl::MakeConstSpan(&gradient, 1));
      y += 0.125f;
    }
    EXPECT_NEAR(y - x, 10 * 0.125f, 1e-5) << name;
  }
}

}  // namespace
}  // namespace starling
