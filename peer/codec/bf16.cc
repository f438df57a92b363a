// bf16: the upper half of every float, rounded to nearest, ties to even. Half the bytes, the full
// range of exponents, 8 bits of precision. What would round to infinity becomes the largest finite
// number; infinity and NaN stay what they are.

#include "peer/codec/bits.h"
#include "peer/codec/halves.h"
#include "peer/codec/row.h"

namespace starling {
namespace {

constexpr double kRelative = 1.0 / 256;           // half a unit in the last of 8 places
constexpr double kAbsolute = 0x1p-134;            // half of the smallest denormal
constexpr uint32_t kLargestFinite = 0x7f7f0000u;  // as bits of a float

STARLING_KERNEL_INLINE void Encode(const float* __restrict values, size_t count, char* __restrict out) {
  for (size_t i = 0; i < count; ++i) {
    const uint32_t bits = BitsOf(values[i]);
    const uint32_t magnitude = bits & kMagnitudeMask;
    const uint32_t rounded = magnitude + 0x7fff + ((magnitude >> 16) & 1);
    const uint32_t finite = rounded < kInfinityBits ? rounded : kLargestFinite;
    // A NaN whose upper half alone would be infinity is refused just as well.
    const uint32_t kept = magnitude < kInfinityBits ? finite : magnitude;
    Store(out + 2 * i, static_cast<uint16_t>((kept | (bits & ~kMagnitudeMask)) >> 16));
  }
}

STARLING_KERNEL_INLINE void Decode(const char* __restrict bytes, size_t count,
                                       float* __restrict values) {
  for (size_t i = 0; i < count; ++i) {
    values[i] = FloatOf(static_cast<uint32_t>(Load<uint16_t>(bytes + 2 * i)) << 16);
  }
}

class Bf16Codec final : public HalvesCodec {
 public:
  explicit Bf16Codec(const CodecSetting& setting)
      : HalvesCodec(setting, v1::CODEC_BF16, {kRelative, kAbsolute, FloatOf(kLargestFinite)}) {}

  size_t EncodeTile(absl::Span<const float> values, const TileTerms&, char* out) const override {
    RunKernel(isa(), [&] { Encode(values.data(), values.size(), out); });
    return 2 * values.size();
  }

  absl::StatusOr<size_t> DecodeTile(absl::string_view bytes,
                                    absl::Span<float> values) const override {
    if (bytes.size() < 2 * values.size()) return Truncated(values.size());
    RunKernel(isa(), [&] { Decode(bytes.data(), values.size(), values.data()); });
    return 2 * values.size();
  }

 private:
  float ValueOf(uint16_t half) const override { return FloatOf(uint32_t{half} << 16); }
};

}  // namespace

CodecRow Bf16Row() {
  return {"bf16", v1::CODEC_BF16, "2 bytes a number, to 1 part in 256, any range", {},
          [](const CodecSetting& setting) -> std::shared_ptr<const Codec> {
            return std::make_shared<Bf16Codec>(setting);
          }};
}

}  // namespace starling
