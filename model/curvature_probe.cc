#include "model/curvature_probe.h"

#include <algorithm>
#include <cstdint>

namespace starling {

absl::Span<const float> CurvatureProbe::Draw() {
  for (size_t begin = 0; begin < signs_.size(); begin += 64) {
    const size_t end = std::min(begin + 64, signs_.size());
    uint64_t bits = random_.Next();
    for (size_t i = begin; i < end; ++i, bits >>= 1) {
      signs_[i] = 1.0f - 2.0f * static_cast<float>(bits & 1);
    }
  }
  return signs_;
}

}  // namespace starling
