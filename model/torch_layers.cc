#include "model/torch_layers.h"

#include <ATen/ops/empty_like.h>

#include <cmath>
#include <utility>

#include "peer/runtime/check.h"

namespace starling {

void AddWeightAndBias(const std::string& name, std::vector<int64_t> weight_shape,
                      std::vector<ParameterSpec>* parameters) {
  const int64_t outputs = weight_shape[0];
  int64_t fan_in = 1;
  for (size_t i = 1; i < weight_shape.size(); ++i) fan_in *= weight_shape[i];
  parameters->push_back({.name = name + ".weight",
                         .shape = std::move(weight_shape),
                         .deviation = std::sqrt(2.0 / static_cast<double>(fan_in))});
  parameters->push_back({.name = name + ".bias", .shape = {outputs}});
}

void AddNorm(const std::string& name, int64_t channels, std::vector<ParameterSpec>* parameters) {
  parameters->push_back({.name = name + ".weight", .shape = {channels}, .mean = 1});
  parameters->push_back({.name = name + ".bias", .shape = {channels}});
}

at::Tensor Dropout(const at::Tensor& input, double probability, Random* noise) {
  STARLING_CHECK(probability >= 0 && probability < 1);
  if (noise == nullptr) return input;
  const uint64_t threshold = static_cast<uint64_t>(std::lround(probability * 65536));
  const float kept = static_cast<float>(65536.0 / (65536.0 - static_cast<double>(threshold)));

  at::Tensor mask = at::empty_like(input, input.options().requires_grad(false),
                                   at::MemoryFormat::Contiguous);
  float* values = mask.data_ptr<float>();
  const int64_t count = mask.numel();
  // Four numbers from each 64 random bits.
  uint64_t bits = 0;
  for (int64_t i = 0; i < count; ++i) {
    bits = i % 4 == 0 ? noise->Next() : bits >> 16;
    values[i] = (bits & 0xffff) < threshold ? 0.0f : kept;
  }
  return input.mul(mask);
}

}  // namespace starling
