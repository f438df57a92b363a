// What makes one LibTorch network different from another: its parameters' names, shapes and first
// values, and a function of them. Everything else (flat memory, gradients, loss, threads, errors)
// is TorchModel's business and common to all.

#ifndef STARLING_MODEL_TORCH_NETWORK_H_
#define STARLING_MODEL_TORCH_NETWORK_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "peer/runtime/random.h"

namespace starling {

// First values are drawn from N(mean, deviation^2); deviation 0 makes them all `mean`.
struct ParameterSpec {
  std::string name;
  std::vector<int64_t> shape;
  double mean = 0;
  double deviation = 0;
};

struct TorchNetwork {
  std::string name;                 // the registry name
  std::vector<int64_t> input_shape;  // of one example
  int64_t classes = 0;
  std::vector<ParameterSpec> parameters;

  // Maps a batch [examples, input_shape...] to unnormalised scores [examples, classes].
  // `parameters` are in the order above. `noise` is where dropout takes its randomness from; null
  // evaluates without any. Must be a pure function of its arguments: no global generator, no
  // running statistics.
  std::function<at::Tensor(const std::vector<at::Tensor>& parameters, const at::Tensor& batch,
                           Random* noise)>
      forward;
};

}  // namespace starling

#endif  // STARLING_MODEL_TORCH_NETWORK_H_
