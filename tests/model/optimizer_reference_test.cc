#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>
#include <torch/types.h>

#include <cmath>
#include <functional>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "model/optimizer.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

constexpr int64_t kElements = 1003;  // not a multiple of any vector width
constexpr int kSteps = 20;

using MakeReference =
    std::function<std::unique_ptr<torch::optim::Optimizer>(std::vector<torch::Tensor>)>;

void ExpectSameAsReference(const v1::OptimizerConfig& config, const MakeReference& make_reference) {
  absl::StatusOr<std::unique_ptr<Optimizer>> optimizer = MakeOptimizer(config, kElements);
  ASSERT_TRUE(optimizer.ok()) << optimizer.status();

  Random random(7);
  std::vector<float> parameters(kElements);
  for (float& value : parameters) value = static_cast<float>(random.Normal());
  torch::Tensor reference = torch::empty({kElements});
  std::copy(parameters.begin(), parameters.end(), reference.data_ptr<float>());
  reference.set_requires_grad(true);
  reference.mutable_grad() = torch::zeros({kElements});
  std::unique_ptr<torch::optim::Optimizer> reference_optimizer = make_reference({reference});

  std::vector<float> gradients(kElements);
  for (int step = 0; step < kSteps; ++step) {
    for (float& value : gradients) value = static_cast<float>(random.Normal());
    std::copy(gradients.begin(), gradients.end(), reference.mutable_grad().data_ptr<float>());
    (*optimizer)->Step(absl::MakeSpan(parameters), gradients);
    reference_optimizer->step();
    for (int64_t i = 0; i < kElements; ++i) {
      const float expected = reference.data_ptr<float>()[i];
      ASSERT_NEAR(parameters[static_cast<size_t>(i)], expected, 1e-6 * (1 + std::abs(expected)))
          << config.name() << " step " << step << " element " << i;
    }
  }
}

v1::OptimizerConfig Config(const std::string& name, double learning_rate, double weight_decay) {
  v1::OptimizerConfig config;
  config.set_name(name);
  config.set_learning_rate(learning_rate);
  config.set_weight_decay(weight_decay);
  return config;
}

TEST(OptimizerReferenceTest, SgdStepsLikeLibTorch) {
  for (double decay : {0.0, 0.01}) {
    ExpectSameAsReference(
        Config("sgd", 0.1, decay), [decay](std::vector<torch::Tensor> parameters) {
          return std::make_unique<torch::optim::SGD>(
              std::move(parameters), torch::optim::SGDOptions(0.1).weight_decay(decay));
        });
  }
}

TEST(OptimizerReferenceTest, NesterovStepsLikeLibTorch) {
  for (double decay : {0.0, 0.01}) {
    ExpectSameAsReference(
        Config("nesterov", 0.05, decay), [decay](std::vector<torch::Tensor> parameters) {
          return std::make_unique<torch::optim::SGD>(
              std::move(parameters),
              torch::optim::SGDOptions(0.05).momentum(0.9).nesterov(true).weight_decay(decay));
        });
  }
}

TEST(OptimizerReferenceTest, AdamWStepsLikeLibTorch) {
  for (double decay : {0.0, 0.01}) {
    ExpectSameAsReference(
        Config("adamw", 0.001, decay), [decay](std::vector<torch::Tensor> parameters) {
          return std::make_unique<torch::optim::AdamW>(
              std::move(parameters), torch::optim::AdamWOptions(0.001).weight_decay(decay));
        });
  }
}

}  // namespace
}  // namespace starling
