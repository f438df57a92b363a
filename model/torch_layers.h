// Building blocks for TorchNetworks that ATen does not bring along.

#ifndef STARLING_MODEL_TORCH_LAYERS_H_
#define STARLING_MODEL_TORCH_LAYERS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "model/torch_network.h"
#include "peer/runtime/random.h"

namespace starling {

// Appends "NAME.weight" of the given shape (outputs first), drawn as Kaiming et al. propose for
// ReLU (normal, variance 2 / fan-in), and "NAME.bias" of zeros.
void AddWeightAndBias(const std::string& name, std::vector<int64_t> weight_shape,
                      std::vector<ParameterSpec>* parameters);

// Appends "NAME.weight" of ones and "NAME.bias" of zeros, one for each channel.
void AddNorm(const std::string& name, int64_t channels, std::vector<ParameterSpec>* parameters);

// Zeroes each number of `input` with the given probability (in steps of 1/65536) and scales the
// rest up to keep the mean. Null `noise` returns the input as it is. LibTorch's own dropout would
// draw from a generator that all of the process shares.
at::Tensor Dropout(const at::Tensor& input, double probability, Random* noise);

}  // namespace starling

#endif  // STARLING_MODEL_TORCH_LAYERS_H_
