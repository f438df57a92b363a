#include "model/optimizer.h"

#include <cmath>
#include <limits>
#include <string>
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

// All of them; what is particular to one is its own test's.
constexpr const char* kNames[] = {"sgd",   "nesterov",   "nesterov_velocity",
                                  "adamw", "adahessian", "lars"};

// One whole step with a gradient that does not depend on the parameters.
void TakeStep(Optimizer& optimizer, absl::Span<float> parameters,
              absl::Span<const float> gradients) {
  optimizer.Prepare(parameters);
  const std::vector<float> ones(parameters.size(), 1.0f);
  if (optimizer.needs_curvature()) optimizer.SetCurvature(ones);
  optimizer.Step(parameters, gradients);
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

TEST(OptimizerTest, DefaultsOfThePublishedOnes) {
  const v1::OptimizerConfig velocity = CompleteOptimizerConfig(Named("nesterov_velocity")).value();
  EXPECT_EQ(velocity.learning_rate(), 0.01);
  EXPECT_EQ(velocity.momentum(), 0.9);

  const v1::OptimizerConfig adahessian = CompleteOptimizerConfig(Named("adahessian")).value();
  EXPECT_EQ(adahessian.learning_rate(), 0.15);
  EXPECT_EQ(adahessian.beta1(), 0.9);
  EXPECT_EQ(adahessian.beta2(), 0.999);
  EXPECT_EQ(adahessian.epsilon(), 1e-4);
  EXPECT_EQ(adahessian.hessian_power(), 1);
  EXPECT_EQ(adahessian.trust(), 0);

  const v1::OptimizerConfig lars = CompleteOptimizerConfig(Named("lars")).value();
  EXPECT_EQ(lars.learning_rate(), 0.3);
  EXPECT_EQ(lars.momentum(), 0.9);
  EXPECT_EQ(lars.trust(), 0.001);
  EXPECT_EQ(lars.hessian_power(), 0);
}

TEST(OptimizerTest, CompletingTwiceChangesNothing) {
  for (const char* name : kNames) {
    const v1::OptimizerConfig once = CompleteOptimizerConfig(Named(name)).value();
    absl::StatusOr<v1::OptimizerConfig> twice = CompleteOptimizerConfig(once);
    ASSERT_TRUE(twice.ok()) << twice.status();
    EXPECT_EQ(twice->SerializeAsString(), once.SerializeAsString()) << name;
  }
}

TEST(OptimizerTest, UnknownNameSuggestsTheNearest) {
  ExpectInvalid(Named("nestrov"), "did you mean \"nesterov\"?");
  ExpectInvalid(Named(""), "known: sgd, nesterov, nesterov_velocity, adamw, adahessian, lars");
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
    config = Named("lars");
    config.set_trust(bad);
    ExpectInvalid(config, "optimizer.trust");
    config = Named("adahessian");
    config.set_hessian_power(bad);
    ExpectInvalid(config, "optimizer.hessian_power");
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
  config = Named("nesterov");
  config.set_trust(0.01);
  ExpectInvalid(config, "optimizer.trust is 0.01, but nesterov has no such option");
  config = Named("adamw");
  config.set_hessian_power(1);
  ExpectInvalid(config, "optimizer.hessian_power is 1, but adamw has no such option");
}

TEST(OptimizerTest, HessianPowerMayReachOneAndNoMore) {
  v1::OptimizerConfig config = Named("adahessian");
  for (double good : {0.5, 1.0}) {
    config.set_hessian_power(good);
    EXPECT_TRUE(CompleteOptimizerConfig(config).ok());
  }
  config.set_hessian_power(1.001);
  ExpectInvalid(config, "must be above 0 and at most 1");
}

TEST(OptimizerTest, RateIsTheConfiguredOneTimesTheScale) {
  for (const char* name : kNames) {
    v1::OptimizerConfig config = Named(name);
    config.set_learning_rate(0.25);
    auto optimizer = MakeOptimizer(config, 1);
    ASSERT_TRUE(optimizer.ok()) << optimizer.status();
    EXPECT_EQ((*optimizer)->rate(), 0.25) << name;
    (*optimizer)->set_rate_scale(0.5);
    EXPECT_EQ((*optimizer)->rate(), 0.125) << name;
  }
}

TEST(OptimizerTest, OnlyAdaHessianNeedsCurvature) {
  for (const char* name : kNames) {
    EXPECT_EQ(MakeOptimizer(Named(name), 1).value()->needs_curvature(),
              std::string(name) == "adahessian")
        << name;
  }
}

// What GossipGraD averages: whoever overwrites it changes the next step.
TEST(OptimizerTest, MomentumIsTheBufferTheNextStepReads) {
  const std::vector<float> gradients = {1, -2, 0.5f};
  for (const char* name : kNames) {
    auto one = MakeOptimizer(Named(name), 3);
    auto two = MakeOptimizer(Named(name), 3);
    ASSERT_TRUE(one.ok() && two.ok());
    if (std::string(name) == "sgd") {
      EXPECT_TRUE((*one)->momentum().empty());
      continue;
    }
    ASSERT_EQ((*one)->momentum().size(), 3u) << name;
    for (float value : (*one)->momentum()) EXPECT_EQ(value, 0) << name;
    std::vector<float> x = {1, 1, 1};
    std::vector<float> y = x;
    TakeStep(**one, absl::MakeSpan(x), gradients);
    TakeStep(**two, absl::MakeSpan(y), gradients);
    for (float value : (*one)->momentum()) EXPECT_NE(value, 0) << name;
    for (float& value : (*one)->momentum()) value = 0;
    TakeStep(**one, absl::MakeSpan(x), gradients);
    TakeStep(**two, absl::MakeSpan(y), gradients);
    for (size_t i = 0; i < 3; ++i) EXPECT_LT(std::abs(x[i] - 1), std::abs(y[i] - 1)) << name;
  }
}

TEST(OptimizerTest, ZeroGradientsAndNoHistoryLeaveTheParametersAlone) {
  for (const char* name : kNames) {
    auto optimizer = MakeOptimizer(Named(name), 5);
    ASSERT_TRUE(optimizer.ok()) << optimizer.status();
    EXPECT_EQ((*optimizer)->name(), name);
    std::vector<float> parameters = {1, -2, 3, 0, 1e30f};
    const std::vector<float> before = parameters;
    TakeStep(**optimizer, absl::MakeSpan(parameters), std::vector<float>(5));
    EXPECT_EQ(parameters, before) << name;
  }
}

// nesterov_velocity takes part of the step in Prepare, lars measures its step by the parameters.
TEST(OptimizerTest, RateScaleScalesTheNextStep) {
  for (const char* name : {"sgd", "nesterov", "adamw", "adahessian"}) {
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
      TakeStep(**whole, absl::MakeSpan(&x, 1), absl::MakeConstSpan(&gradient, 1));
      TakeStep(**half, absl::MakeSpan(&y, 1), absl::MakeConstSpan(&gradient, 1));
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

// What gossip adds to the parameters between two steps must not enter the momentum. (A step of lars
// is longer where the parameters are larger.)
TEST(OptimizerTest, StepDoesNotDependOnWhatMixingDidToTheParameters) {
  for (const char* name : {"sgd", "nesterov", "nesterov_velocity", "adamw", "adahessian"}) {
    auto plain = MakeOptimizer(Named(name), 1);
    auto mixed = MakeOptimizer(Named(name), 1);
    ASSERT_TRUE(plain.ok() && mixed.ok());
    float x = 0.5f;
    float y = 0.5f;
    for (int step = 0; step < 10; ++step) {
      const float gradient = 0.25f * static_cast<float>(step % 3);
      TakeStep(**plain, absl::MakeSpan(&x, 1), absl::MakeConstSpan(&gradient, 1));
      TakeStep(**mixed, absl::MakeSpan(&y, 1), absl::MakeConstSpan(&gradient, 1));
      y += 0.125f;
    }
    EXPECT_NEAR(y - x, 10 * 0.125f, 1e-5) << name;
  }
}

}  // namespace
}  // namespace starling
