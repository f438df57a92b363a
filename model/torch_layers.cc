#include "model/torch_layers.h"

#include <ATen/ops/empty_like.h>

#include <bit>
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
  // 0 or `kept`, without a branch: half of them would be predicted wrongly.
  const auto value_for = [threshold, kept_bits = std::bit_cast<uint32_t>(kept)](uint64_t bits) {
    const uint32_t keep = (bits & 0xffff) >= threshold;
    return std::bit_cast<float>(kept_bits & (0u - keep));
  };
  // Four numbers from each 64 random bits.
  int64_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const uint64_t bits = noise->Next();
    values[i] = value_for(bits);
    values[i + 1] = value_for(bits >> 16);
    values[i + 2] = value_for(bits >> 32);
    values[i + 3] = value_for(bits >> 48);
  }
  for (uint64_t bits = i < count ? noise->Next() : 0; i < count; ++i, bits >>= 16) {
    values[i] = value_for(bits);
  }
  return input.mul(mask);
}

}  // namespace starling
