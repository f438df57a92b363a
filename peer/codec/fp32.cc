// fp32: the numbers as they are.

#include <cstring>

#include "peer/codec/bits.h"
#include "peer/codec/row.h"

namespace starling {
namespace {

class Fp32Codec final : public Codec {
 public:
  explicit Fp32Codec(const CodecSetting& setting)
      : Codec(setting.spec, v1::CODEC_FP32,
              {.exact = true, .unbiased = true, .bytes_per_element = sizeof(float)}),
        isa_(setting.isa) {}

  size_t MaxTileBytes(size_t elements) const override { return elements * sizeof(float); }

  size_t EncodeTile(absl::Span<const float> values, const TileTerms&, char* out) const override {
    std::memcpy(out, values.data(), values.size() * sizeof(float));
    return values.size() * sizeof(float);
  }

  absl::StatusOr<size_t> DecodeTile(absl::string_view bytes,
                                    absl::Span<float> values) const override {
    const size_t size = values.size() * sizeof(float);
    if (bytes.size() < size) return Truncated(values.size());
    std::memcpy(values.data(), bytes.data(), size);
    return size;
  }

  absl::StatusOr<TileLook> InspectTile(absl::string_view bytes, size_t elements) const override;

  CodecError ErrorBound(absl::Span<const float>) const override { return {}; }

 private:
  const Isa isa_;
};

// Without their sign, floats are ordered as integers are; infinity and NaN are above all others.
STARLING_KERNEL_INLINE float Peak(const char* bytes, size_t count) {
  uint32_t peak = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t magnitude = Load<uint32_t>(bytes + i * sizeof(float)) & kMagnitudeMask;
    peak = magnitude > peak ? magnitude : peak;
  }
  return FloatOf(peak);
}

absl::StatusOr<TileLook> Fp32Codec::InspectTile(absl::string_view bytes, size_t elements) const {
  const size_t size = elements * sizeof(float);
  if (bytes.size() < size) return Truncated(elements);
  const float peak = RunKernel(isa_, [&] { return Peak(bytes.data(), elements); });
  if (!IsFinite(peak)) return absl::OutOfRangeError("payload holds NaN or infinity");
  return TileLook{size, peak};
}

}  // namespace

CodecRow Fp32Row() {
  return {"fp32", v1::CODEC_FP32, "4 bytes a number, exact", {},
          [](const CodecSetting& setting) -> std::shared_ptr<const Codec> {
            return std::make_shared<Fp32Codec>(setting);
          }};
}

}  // namespace starling
