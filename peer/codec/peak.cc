#include "peer/codec/peak.h"

#include <cmath>
#include <limits>

#include "peer/codec/bits.h"
#include "peer/runtime/isa.h"

namespace starling {

float PeakOf(absl::Span<const float> values) {
  const float peak = RunKernel([=] { return LargestMagnitude(values.data(), values.size()); });
  return std::isfinite(peak) ? peak : std::numeric_limits<float>::infinity();
}

bool AllFinite(absl::Span<const float> values) { return std::isfinite(PeakOf(values)); }

}  // namespace starling
