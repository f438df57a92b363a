#include "peer/averaging/weighted_mean.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace starling {

void WeightedMean(absl::Span<const WeightedValues> terms, absl::Span<float> mean) {
  double total_weight = 0;
  for (const WeightedValues& term : terms) total_weight += term.weight;

  // One block of sums at a time stays in the first-level cache.
  constexpr size_t kBlock = 1024;
  std::array<double, kBlock> sums;
  for (size_t begin = 0; begin < mean.size(); begin += kBlock) {
    const size_t length = std::min(kBlock, mean.size() - begin);
    std::fill_n(sums.begin(), length, 0.0);
    for (const WeightedValues& term : terms) {
      const float* values = term.values.data() + begin;
      const double weight = term.weight;
      for (size_t i = 0; i < length; ++i) sums[i] += weight * static_cast<double>(values[i]);
    }
    for (size_t i = 0; i < length; ++i) {
      mean[begin + i] = static_cast<float>(sums[i] / total_weight);
    }
  }
}

}  // namespace starling
