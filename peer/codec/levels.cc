#include "peer/codec/levels.h"

#include <algorithm>
#include <cmath>

#include "peer/codec/bits.h"
#include "peer/runtime/check.h"

namespace starling {
namespace {

// Norms below count as zero.
constexpr float kTiny = 1e-30f;
// What the rounding of the step itself adds to the error.
constexpr double kSlack = 1 + 1e-4;

constexpr size_t PackedBytes(size_t count, uint32_t bits) { return (count * bits + 7) / 8; }


STARLING_KERNEL_INLINE void Quantise(const float* __restrict values, size_t count, float norm,
                                         uint32_t bits, uint32_t key, uint32_t counter,
                                         uint8_t* codes) {
  const uint32_t levels = LevelsOf(bits);
  const float inverse = static_cast<float>(levels) / norm;
  const uint32_t sign_shift = 32 - bits;
  for (size_t i = 0; i < count; ++i) {
    const float draw = CounterUniform(key, counter + static_cast<uint32_t>(i));
    const uint32_t value = BitsOf(values[i]);
    const float scaled = FloatOf(value & kMagnitudeMask) * inverse + draw;
    const uint32_t level = static_cast<uint32_t>(static_cast<int32_t>(scaled));
    const uint32_t sign = (value >> 31 << 31) >> sign_shift;
    codes[i] = static_cast<uint8_t>((level < levels ? level : levels) | sign);
  }
}

STARLING_KERNEL_INLINE void Dequantise(const uint8_t* codes, size_t count, float norm,
                                           uint32_t bits, float* values) {
  const uint32_t levels = LevelsOf(bits);
  const float step = norm / static_cast<float>(levels);
  for (size_t i = 0; i < count; ++i) {
    const uint32_t code = codes[i];
    const float size = step * static_cast<float>(static_cast<int32_t>(code & levels));
    values[i] = FloatOf(BitsOf(size) | (code >> (bits - 1)) << 31);
  }
}

// Eight codes make `bits` whole bytes.
void PackCodes(const uint8_t* codes, size_t count, uint32_t bits, char* out) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8, out += bits) {
    uint64_t word = 0;
    for (uint32_t j = 0; j < 8; ++j) word |= uint64_t{codes[i + j]} << (j * bits);
    for (uint32_t j = 0; j < bits; ++j) out[j] = static_cast<char>(word >> (8 * j));
  }
  uint64_t word = 0;
  for (uint32_t j = 0; i + j < count; ++j) word |= uint64_t{codes[i + j]} << (j * bits);
  for (size_t j = 0; j < PackedBytes(count - i, bits); ++j) {
    out[j] = static_cast<char>(word >> (8 * j));
  }
}

// `bytes` has PackedBytes(count, bits).
void UnpackCodes(const char* bytes, size_t count, uint32_t bits, uint8_t* codes) {
  const uint32_t mask = (1u << bits) - 1;
  size_t i = 0;
  for (; i + 8 <= count; i += 8, bytes += bits) {
    uint64_t word = 0;
    for (uint32_t j = 0; j < bits; ++j) {
      word |= uint64_t{static_cast<uint8_t>(bytes[j])} << (8 * j);
    }
    for (uint32_t j = 0; j < 8; ++j) {
      codes[i + j] = static_cast<uint8_t>((word >> (j * bits)) & mask);
    }
  }
  uint64_t word = 0;
  for (size_t j = 0; j < PackedBytes(count - i, bits); ++j) {
    word |= uint64_t{static_cast<uint8_t>(bytes[j])} << (8 * j);
  }
  for (uint32_t j = 0; i + j < count; ++j) {
    codes[i + j] = static_cast<uint8_t>((word >> (j * bits)) & mask);
  }
}

}  // namespace

float BucketNorm(absl::Span<const float> values, Isa isa) {
  const float norm = RunKernel(isa, [&] { return LargestMagnitude(values.data(), values.size()); });
  return norm < kTiny ? 0 : norm;
}

void EncodeBucket(absl::Span<const float> values, float norm, uint32_t bits, uint32_t key,
                  uint32_t counter, Isa isa, char* out) {
  STARLING_CHECK(values.size() <= kBucket && bits >= kLeastBits && bits <= kMostBits);
  Store(out, norm);
  uint8_t codes[kBucket] = {};
  if (norm > 0 && IsFinite(norm)) {
    RunKernel(isa, [&] {
      Quantise(values.data(), values.size(), norm, bits, key, counter, codes);
    });
  }
  PackCodes(codes, values.size(), bits, out + sizeof(norm));
}

void DecodeBucket(const char* bytes, uint32_t bits, Isa isa, absl::Span<float> values) {
  STARLING_CHECK(values.size() <= kBucket && bits >= kLeastBits && bits <= kMostBits);
  uint8_t codes[kBucket];
  UnpackCodes(bytes + sizeof(float), values.size(), bits, codes);
  const float norm = Load<float>(bytes);
  RunKernel(isa, [&] { Dequantise(codes, values.size(), norm, bits, values.data()); });
}

float BucketPeak(const char* bytes) {
  return std::fabs(Load<float>(bytes)) * static_cast<float>(kSlack);
}

CodecError BucketError(absl::Span<const float> values, uint32_t bits) {
  const float norm = BucketNorm(values, Isa::kBaseline);
  const auto count = static_cast<double>(values.size());
  if (norm == 0) {
    const double size = LargestMagnitude(values.data(), values.size());
    return {size, count * size * size};
  }
  const double step = kSlack * norm / LevelsOf(bits);
  // A fraction f of a step becomes a whole one with probability f: variance f (1 - f) <= 1/4.
  return {step, count * step * step / 4};
}

}  // namespace starling
