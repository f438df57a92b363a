// What is particular to LibTorch behind the Model seam; the common contract is
// model_conformance_test's.

#include "model/torch_model.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <c10/util/Exception.h>

#include <cmath>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/synthetic_dataset.h"
#include "model/torch_cnn.h"
#include "model/torch_layers.h"
#include "model/torch_mlp.h"
#include "model/torch_network.h"
#include "model/torch_threads.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

using ::testing::HasSubstr;

// One linear layer whose parameters are all 0; the gradient is easy to write down.
TorchNetwork TinyNetwork() {
  TorchNetwork network;
  network.name = "tiny";
  network.input_shape = {3};
  network.classes = 2;
  network.parameters = {{.name = "weight", .shape = {2, 3}}, {.name = "bias", .shape = {2}}};
  network.forward = [](const std::vector<at::Tensor>& p, const at::Tensor& x, Random*) {
    return at::linear(x, p[0], p[1]);
  };
  return network;
}

Batch TinyBatch() { return {.features = {1, 2, 3}, .labels = {0}, .examples = 1}; }

std::unique_ptr<Model> Make(TorchNetwork network, TorchModelOptions options = {}) {
  return std::move(MakeTorchModel(std::move(network), options).value());
}

TEST(TorchModelTest, GradientsLandInTheFlatVectorInOrder) {
  const std::unique_ptr<Model> model = Make(TinyNetwork());
  EXPECT_NEAR(model->ComputeGradients(TinyBatch()).value(), std::log(2.0), 1e-6);
  const float expected[] = {-0.5, -1, -1.5, 0.5, 1, 1.5, -0.5, 0.5};
  ASSERT_EQ(model->gradients().size(), 8u);
  for (size_t i = 0; i < 8; ++i) EXPECT_NEAR(model->gradients()[i], expected[i], 1e-6) << i;
  // And again: nothing of the last batch is left.
  ASSERT_TRUE(model->ComputeGradients(TinyBatch()).ok());
  for (size_t i = 0; i < 8; ++i) EXPECT_NEAR(model->gradients()[i], expected[i], 1e-6) << i;
}

TEST(TorchModelTest, ParameterThatTheNetworkDoesNotUseHasGradientZero) {
  TorchNetwork network = TinyNetwork();
  network.parameters.push_back({.name = "unused", .shape = {4}, .mean = 1});
  const std::unique_ptr<Model> model = Make(std::move(network));
  ASSERT_TRUE(model->ComputeGradients(TinyBatch()).ok());
  for (size_t i = 8; i < 12; ++i) EXPECT_EQ(model->gradients()[i], 0);
}

// At p = (1/2, 1/2) the Hessian of the tiny network's loss is 1/4 (1, -1; -1, 1) in the scores,
// each of which is linear in its row of weights and its bias.
TEST(TorchModelTest, CurvatureOfALinearLayerIsAsComputedByHand) {
  TorchNetwork network = TinyNetwork();
  network.parameters.push_back({.name = "unused", .shape = {2}, .mean = 1});
  const std::unique_ptr<Model> model = Make(std::move(network));
  ASSERT_TRUE(model->has_curvature());
  const std::vector<float> probe = {1, 1, -1, 1, -1, 1, 1, -1, 1, 1};
  const double score_change[] = {1 + 2 - 3 + 1, 1 - 2 + 3 - 1};  // of the probe
  const double slope = (score_change[0] - score_change[1]) / 4;
  std::vector<float> hessian_probe(10, 5.0f);
  for (int i = 0; i < 2; ++i) {
    EXPECT_NEAR(model->ComputeGradientsAndCurvature(TinyBatch(), probe,
                                                    absl::MakeSpan(hessian_probe)).value(),
                std::log(2.0), 1e-6);
    const double expected[] = {slope,      2 * slope,  3 * slope, -slope, -2 * slope,
                               -3 * slope, slope,      -slope,    0,      0};
    for (size_t k = 0; k < 10; ++k) EXPECT_NEAR(hessian_probe[k], expected[k], 1e-6) << k;
    const float gradient[] = {-0.5, -1, -1.5, 0.5, 1, 1.5, -0.5, 0.5, 0, 0};
    for (size_t k = 0; k < 10; ++k) EXPECT_NEAR(model->gradients()[k], gradient[k], 1e-6) << k;
  }
}

TEST(TorchModelTest, LossThatIsFlatHasNoCurvature) {
  TorchNetwork network = TinyNetwork();
  network.forward = [](const std::vector<at::Tensor>& p, const at::Tensor& x, Random*) {
    return at::linear(x, at::ones({2, 3})).add(p[1].mul(0));
  };
  const std::unique_ptr<Model> model = Make(std::move(network));
  const std::vector<float> probe(8, 1.0f);
  std::vector<float> hessian_probe(8, 5.0f);
  const auto loss =
      model->ComputeGradientsAndCurvature(TinyBatch(), probe, absl::MakeSpan(hessian_probe));
  ASSERT_TRUE(loss.ok()) << loss.status();
  for (float value : hessian_probe) EXPECT_EQ(value, 0);
}

TEST(TorchModelTest, LayersTellTensorsWeightsAndKernelsApart) {
  const std::vector<LayerSpan> layers = Make(CnnNetwork())->layers();
  ASSERT_EQ(layers.size(), 10u);
  // conv0.weight {8, 1, 3, 3}, conv0.bias, norm0.weight, ... linear.weight {10, 784}, linear.bias
  EXPECT_EQ(layers[0].offset, 0u);
  EXPECT_EQ(layers[0].length, 72u);
  EXPECT_TRUE(layers[0].weights);
  EXPECT_EQ(layers[0].kernel, 9u);
  EXPECT_EQ(layers[1].offset, 72u);
  EXPECT_EQ(layers[1].length, 8u);
  EXPECT_FALSE(layers[1].weights);
  EXPECT_EQ(layers[1].kernel, 1u);
  EXPECT_FALSE(layers[2].weights);
  EXPECT_EQ(layers[8].length, 7840u);
  EXPECT_TRUE(layers[8].weights);
  EXPECT_EQ(layers[8].kernel, 1u);
}

TEST(TorchModelTest, GradientsThatAutogradPutsElsewhereAreBroughtHome) {
  TorchNetwork network = TinyNetwork();
  const auto forward = network.forward;
  network.forward = [forward](const std::vector<at::Tensor>& p, const at::Tensor& x,
                              Random* noise) {
    p[0].mutable_grad() = at::Tensor();  // makes autograd hang up a tensor of its own
    return forward(p, x, noise);
  };
  const std::unique_ptr<Model> model = Make(std::move(network));
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(model->ComputeGradients(TinyBatch()).ok());
    EXPECT_NEAR(model->gradients()[2], -1.5, 1e-6);
    EXPECT_NEAR(model->gradients()[7], 0.5, 1e-6);
  }
}

TEST(TorchModelTest, WhatANetworkThrowsBecomesAStatus) {
  TorchNetwork wrong_shape = TinyNetwork();
  wrong_shape.parameters[0].shape = {2, 4};
  TorchNetwork throws = TinyNetwork();
  throws.forward = [](const std::vector<at::Tensor>&, const at::Tensor&, Random*) -> at::Tensor {
    throw std::runtime_error("out of paper");
  };
  for (const TorchNetwork& network : {wrong_shape, throws}) {
    const std::unique_ptr<Model> model = Make(network);
    const absl::Status status = model->ComputeGradients(TinyBatch()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
    EXPECT_THAT(std::string(status.message()), HasSubstr("model tiny"));
    EXPECT_EQ(model->Evaluate(TinyBatch()).status().code(), absl::StatusCode::kInternal);
  }
}

TEST(TorchModelTest, ThreadsMustBePositive) {
  EXPECT_EQ(MakeTorchModel(TinyNetwork(), {.threads = 0}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Make(TinyNetwork(), {.threads = 2})->threads(), 2);
}

TEST(TorchModelTest, ThreadCountHoldsOnWhateverThreadComputes) {
  const std::unique_ptr<Model> model = Make(TinyNetwork(), {.threads = 1});
  std::thread([&] {
    at::set_num_threads(4);
    EXPECT_TRUE(model->ComputeGradients(TinyBatch()).ok());
    EXPECT_EQ(at::get_num_threads(), 1);
  }).join();
}

TEST(TorchModelTest, GlobalGeneratorIsNeitherReadNorChanged) {
  const SyntheticDataset data({.examples = 4});
  Batch batch;
  data.Gather({0, 1, 2, 3}, &batch);
  const auto use_a_model = [&] { return Make(MlpLargeNetwork())->ComputeGradients(batch).value(); };
  at::Generator global = at::globalContext().defaultGenerator(at::kCPU);
  global.set_current_seed(5);
  const float undisturbed = at::rand({1}).item<float>();
  const double loss = use_a_model();
  global.set_current_seed(5);
  EXPECT_EQ(use_a_model(), loss);
  EXPECT_EQ(at::rand({1}).item<float>(), undisturbed);
}

TEST(TorchModelTest, StreamsHaveDifferentDropoutNoise) {
  const SyntheticDataset data({.examples = 4});
  Batch batch;
  data.Gather({0, 1, 2, 3}, &batch);
  const double one = Make(MlpLargeNetwork(), {.stream = 1})->ComputeGradients(batch).value();
  const double two = Make(MlpLargeNetwork(), {.stream = 2})->ComputeGradients(batch).value();
  EXPECT_NE(one, two);
}

TEST(TorchLayersTest, DropoutZeroesItsShareAndKeepsTheMean) {
  for (double probability : {0.0, 0.2, 0.5}) {
    Random noise(3);
    double zeros = 0;
    double sum = 0;
    constexpr int kRounds = 4000;
    const at::Tensor input = at::ones({1, 7});  // not a multiple of four
    for (int i = 0; i < kRounds; ++i) {
      const at::Tensor output = Dropout(input, probability, &noise);
      // The last number is drawn on another path than the first four.
      zeros += output.data_ptr<float>()[6] == 0;
      sum += output.sum().item<double>() / 7;
    }
    EXPECT_NEAR(zeros / kRounds, probability, 0.03);
    EXPECT_NEAR(sum / kRounds, 1, 0.03);
    EXPECT_TRUE(Dropout(input, probability, nullptr).is_same(input));
  }
}

}  // namespace
}  // namespace starling
