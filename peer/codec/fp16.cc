// fp16: IEEE half precision, rounded to nearest, ties to even. Half the bytes, 11 bits of precision
// between 6e-5 and 65504; smaller numbers lose precision down to steps of 6e-8, larger ones become
// 65504. Infinity and NaN stay what they are.

#include "peer/codec/bits.h"
#include "peer/codec/halves.h"
#include "peer/codec/row.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace starling {
namespace {

constexpr double kLargest = 65504;
constexpr double kRelative = 1.0 / 2048;  // half a unit in the last of 11 places
constexpr double kAbsolute = 0x1p-25;     // half of the smallest denormal

STARLING_KERNEL_INLINE uint16_t EncodeOne(float value) {
  const uint32_t sign = (BitsOf(value) >> 16) & 0x8000;
  const uint32_t magnitude = MagnitudeOf(value);
  // Normal numbers: move the exponent's zero and round the lower 13 bits away.
  const uint32_t normal = (magnitude - (112u << 23) + 0xfff + ((magnitude >> 13) & 1)) >> 13;
  // Numbers below 2^-14: adding 0.5 leaves their multiple of 2^-24 in the lowest bits, rounded.
  const uint32_t denormal = BitsOf(FloatOf(magnitude) + 0.5f) - BitsOf(0.5f);
  uint32_t half = magnitude < (113u << 23) ? denormal : normal;
  half = half < 0x7bff ? half : 0x7bff;
  const uint32_t special = magnitude > kInfinityBits ? 0x7e00 : 0x7c00;
  half = magnitude >= kInfinityBits ? special : half;
  return static_cast<uint16_t>(sign | half);
}

STARLING_KERNEL_INLINE float DecodeOne(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t magnitude = static_cast<uint32_t>(half & 0x7fff) << 13;
  // Moves the exponent's zero; exact, for denormals too.
  const uint32_t finite = BitsOf(FloatOf(magnitude) * 0x1p112f);
  const uint32_t special = magnitude | kInfinityBits;
  return FloatOf(sign | (magnitude >= (0x7c00u << 13) ? special : finite));
}

void EncodePortable(const float* __restrict values, size_t count, char* __restrict out) {
  for (size_t i = 0; i < count; ++i) Store(out + 2 * i, EncodeOne(values[i]));
}
void DecodePortable(const char* __restrict bytes, size_t count,
                                       float* __restrict values) {
  for (size_t i = 0; i < count; ++i) values[i] = DecodeOne(Load<uint16_t>(bytes + 2 * i));
}

#if defined(__x86_64__)
// F16C converts in hardware. It knows infinities only, so what is finite is clamped before.
__attribute__((target("avx2,f16c"))) void EncodeF16c(const float* __restrict values, size_t count,
                                                     char* out) {
  const __m256i mask = _mm256_set1_epi32(kMagnitudeMask);
  const __m256i infinity = _mm256_set1_epi32(kInfinityBits);
  const __m256i largest = _mm256_castps_si256(_mm256_set1_ps(kLargest));
  const __m256i quiet_nan = _mm256_set1_epi32(0x7fc00000);
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256i bits = _mm256_castps_si256(_mm256_loadu_ps(values + i));
    const __m256i sign = _mm256_andnot_si256(mask, bits);
    const __m256i magnitude = _mm256_and_si256(mask, bits);
    const __m256i is_finite = _mm256_cmpgt_epi32(infinity, magnitude);
    const __m256i is_nan = _mm256_cmpgt_epi32(magnitude, infinity);
    const __m256i clamped = _mm256_min_epi32(magnitude, largest);
    const __m256i special = _mm256_blendv_epi8(infinity, quiet_nan, is_nan);
    const __m256i kept = _mm256_or_si256(sign, _mm256_blendv_epi8(special, clamped, is_finite));
    const __m128i halves = _mm256_cvtps_ph(_mm256_castsi256_ps(kept), _MM_FROUND_TO_NEAREST_INT);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 2 * i), halves);
  }
  EncodePortable(values + i, count - i, out + 2 * i);
}

__attribute__((target("avx2,f16c"))) void DecodeF16c(const char* bytes, size_t count,
                                                     float* values) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + 2 * i));
    _mm256_storeu_ps(values + i, _mm256_cvtph_ps(halves));
  }
  DecodePortable(bytes + 2 * i, count - i, values + i);
}
#else
constexpr auto EncodeF16c = EncodePortable;
constexpr auto DecodeF16c = DecodePortable;
#endif

class Fp16Codec final : public HalvesCodec {
 public:
  explicit Fp16Codec(const CodecSetting& setting)
      : HalvesCodec(setting, v1::CODEC_FP16, {kRelative, kAbsolute, kLargest}) {}

  size_t EncodeTile(absl::Span<const float> values, const TileTerms&, char* out) const override {
    (isa() == Isa::kBaseline ? EncodePortable : EncodeF16c)(values.data(), values.size(), out);
    return 2 * values.size();
  }

  absl::StatusOr<size_t> DecodeTile(absl::string_view bytes,
                                    absl::Span<float> values) const override {
    if (bytes.size() < 2 * values.size()) return Truncated(values.size());
    (isa() == Isa::kBaseline ? DecodePortable : DecodeF16c)(bytes.data(), values.size(),
                                                             values.data());
    return 2 * values.size();
  }

 private:
  float ValueOf(uint16_t half) const override { return DecodeOne(half); }
};

}  // namespace

CodecRow Fp16Row() {
  return {"fp16", v1::CODEC_FP16, "2 bytes a number, to 1 part in 2048, up to 65504", {},
          [](const CodecSetting& setting) -> std::shared_ptr<const Codec> {
            return std::make_shared<Fp16Codec>(setting);
          }};
}

}  // namespace starling
