#include "peer/codec/halves.h"

#include <algorithm>
#include <cmath>

#include "peer/codec/bits.h"

namespace starling {
namespace {

STARLING_KERNEL_INLINE uint16_t LargestMagnitude(const char* bytes, size_t count) {
  uint16_t largest = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto magnitude = static_cast<uint16_t>(Load<uint16_t>(bytes + 2 * i) & 0x7fff);
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest;
}

}  // namespace

absl::StatusOr<TileLook> HalvesCodec::InspectTile(absl::string_view bytes, size_t elements) const {
  if (bytes.size() < 2 * elements) return Truncated(elements);
  const float peak =
      ValueOf(RunKernel(isa_, [&] { return LargestMagnitude(bytes.data(), elements); }));
  if (!IsFinite(peak)) return absl::OutOfRangeError("payload holds NaN or infinity");
  return TileLook{2 * elements, peak};
}

CodecError HalvesCodec::ErrorBound(absl::Span<const float> values) const {
  CodecError error;
  for (const float value : values) {
    const double size = std::fabs(value);
    const double bound = std::max(error_.relative * size + error_.absolute, size - error_.largest);
    error.largest = std::max(error.largest, bound);
    error.expected_square += bound * bound;
  }
  return error;
}

}  // namespace starling
