#include "model/torch_mlp.h"

#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "model/torch_layers.h"

namespace starling {
namespace {

struct DropoutRates {
  double input = 0;
  double hidden = 0;
};

// `widths` from the input's to the number of classes.
TorchNetwork Perceptron(std::string name, std::vector<int64_t> widths, DropoutRates dropout) {
  TorchNetwork network;
  network.name = std::move(name);
  network.input_shape = {widths.front()};
  network.classes = widths.back();
  const size_t layers = widths.size() - 1;
  for (size_t i = 0; i < layers; ++i) {
    AddWeightAndBias(absl::StrCat("layer", i), {widths[i + 1], widths[i]}, &network.parameters);
  }
  network.forward = [layers, dropout](const std::vector<at::Tensor>& parameters,
                                      const at::Tensor& batch, Random* noise) {
    at::Tensor x = batch;
    for (size_t i = 0; i < layers; ++i) {
      if (i > 0) x = at::relu(x);
      const double rate = i == 0 ? dropout.input : dropout.hidden;
      if (rate > 0) x = Dropout(x, rate, noise);
      x = at::linear(x, parameters[2 * i], parameters[2 * i + 1]);
    }
    return x;
  };
  return network;
}

}  // namespace

TorchNetwork MlpNetwork() { return Perceptron("mlp", {784, 256, 128, 10}, {}); }

TorchNetwork MlpSmallNetwork() { return Perceptron("mlp_small", {784, 64, 10}, {}); }

TorchNetwork MlpLargeNetwork() {
  return Perceptron("mlp_large", {784, 1024, 1024, 1024, 10}, {.input = 0.2, .hidden = 0.5});
}

}  // namespace starling
