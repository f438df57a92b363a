#include "model/torch_cnn.h"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>

#include "model/torch_layers.h"

namespace starling {
namespace {

constexpr int64_t kChannels0 = 8;
constexpr int64_t kChannels1 = 16;
constexpr int64_t kGroupOf = 4;  // channels that are normalised together
constexpr int64_t kFlat = kChannels1 * 7 * 7;
constexpr int64_t kClasses = 10;

at::Tensor NormRelu(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return at::relu(at::group_norm(x, x.size(1) / kGroupOf, weight, bias));
}

at::Tensor Forward(const std::vector<at::Tensor>& p, const at::Tensor& batch, Random*) {
  at::Tensor x = NormRelu(at::conv2d(batch, p[0], p[1], /*stride=*/2, /*padding=*/1), p[2], p[3]);
  x = at::max_pool2d(at::conv2d(x, p[4], p[5], /*stride=*/1, /*padding=*/1), {2, 2});
  x = NormRelu(x, p[6], p[7]);
  return at::linear(x.flatten(1), p[8], p[9]);
}

}  // namespace

TorchNetwork CnnNetwork() {
  TorchNetwork network;
  network.name = "cnn";
  network.input_shape = {1, 28, 28};
  network.classes = kClasses;
  AddWeightAndBias("conv0", {kChannels0, 1, 3, 3}, &network.parameters);
  AddNorm("norm0", kChannels0, &network.parameters);
  AddWeightAndBias("conv1", {kChannels1, kChannels0, 3, 3}, &network.parameters);
  AddNorm("norm1", kChannels1, &network.parameters);
  AddWeightAndBias("linear", {kClasses, kFlat}, &network.parameters);
  network.forward = Forward;
  return network;
}

}  // namespace starling
