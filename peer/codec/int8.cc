// int8: blocks of 512 numbers, each block a float `scale` and a signed byte a number.
//
//   scale = (largest magnitude of the block) / 127        number = scale * byte
//
// Bytes are rounded to nearest, or with stochastic=1 up or down at random, so that the mean is right.
// A block whose numbers are all below 1e-30 becomes zero; one that holds infinity or NaN gets a
// scale that is not finite.

#include <algorithm>
#include <cmath>

#include "peer/codec/bits.h"
#include "peer/codec/row.h"

namespace starling {
namespace {

constexpr size_t kBlock = 512;
constexpr float kTiny = 1e-30f;
// scale * 128 must be finite.
constexpr float kLargestScale = 2.6e36f;
// Added to a float below 2^22 in size, it leaves the nearest integer in the lowest bits.
constexpr float kRounder = 12582912.0f;

// What the scale's own rounding adds to the error, relative to a step.
constexpr double kSlack = 1.0 + 1e-4;

STARLING_KERNEL_INLINE void RoundToBytes(const float* __restrict values, size_t count, float inverse,
                                         char* __restrict out) {
  for (size_t i = 0; i < count; ++i) {
    out[i] = static_cast<char>(BitsOf(values[i] * inverse + kRounder) - BitsOf(kRounder));
  }
}

STARLING_KERNEL_INLINE void DitherToBytes(const float* __restrict values, size_t count, float inverse,
                                          uint32_t key, uint32_t counter, char* __restrict out) {
  for (size_t i = 0; i < count; ++i) {
    const float draw = CounterUniform(key, counter + static_cast<uint32_t>(i));
    // Positive, so that cutting the fraction off rounds down.
    const int32_t level = static_cast<int32_t>(values[i] * inverse + draw + 128.0f) - 128;
    out[i] = static_cast<char>(level < 127 ? level : 127);
  }
}

STARLING_KERNEL_INLINE size_t Encode(const float* __restrict values, size_t count, bool stochastic,
                                         uint32_t key, char* out) {
  char* to = out;
  for (size_t begin = 0; begin < count; begin += kBlock) {
    const size_t length = count - begin < kBlock ? count - begin : kBlock;
    const float largest = LargestMagnitude(values + begin, length);
    const bool plain = largest >= kTiny && IsFinite(largest);
    const float scale = plain ? largest / 127.0f : largest < kTiny ? 0.0f : largest;
    const float inverse = plain ? 127.0f / largest : 0.0f;
    Store(to, scale);
    to += sizeof(scale);
    if (!plain) {
      for (size_t i = 0; i < length; ++i) to[i] = 0;
    } else if (stochastic) {
      DitherToBytes(values + begin, length, inverse, key, static_cast<uint32_t>(begin), to);
    } else {
      RoundToBytes(values + begin, length, inverse, to);
    }
    to += length;
  }
  return static_cast<size_t>(to - out);
}

STARLING_KERNEL_INLINE void Decode(const char* __restrict bytes, size_t count,
                                       float* __restrict values) {
  for (size_t begin = 0; begin < count; begin += kBlock) {
    const size_t length = count - begin < kBlock ? count - begin : kBlock;
    const float scale = Load<float>(bytes);
    bytes += sizeof(scale);
    for (size_t i = 0; i < length; ++i) {
      values[begin + i] = scale * static_cast<float>(static_cast<int8_t>(bytes[i]));
    }
    bytes += length;
  }
}

class Int8Codec final : public Codec {
 public:
  Int8Codec(const CodecSetting& setting, bool stochastic)
      : Codec(setting.spec, v1::CODEC_INT8, {.unbiased = stochastic, .keyed = stochastic}),
        isa_(setting.isa),
        stochastic_(stochastic) {}

  size_t MaxTileBytes(size_t elements) const override {
    return elements + (elements + kBlock - 1) / kBlock * sizeof(float);
  }

  size_t EncodeTile(absl::Span<const float> values, const TileTerms& terms,
                    char* out) const override {
    return RunKernel(isa_, [&] {
      return Encode(values.data(), values.size(), stochastic_, terms.key, out);
    });
  }

  absl::StatusOr<size_t> DecodeTile(absl::string_view bytes,
                                    absl::Span<float> values) const override {
    const size_t size = MaxTileBytes(values.size());
    if (bytes.size() < size) return Truncated(values.size());
    RunKernel(isa_, [&] { Decode(bytes.data(), values.size(), values.data()); });
    return size;
  }

  absl::StatusOr<TileLook> InspectTile(absl::string_view bytes, size_t elements) const override {
    const size_t size = MaxTileBytes(elements);
    if (bytes.size() < size) return Truncated(elements);
    float largest = 0;
    for (size_t at = 0; at < size; at += sizeof(float) + kBlock) {
      const float scale = std::fabs(Load<float>(bytes.data() + at));
      if (!(scale <= kLargestScale)) {
        return absl::OutOfRangeError("payload holds a scale that is not finite");
      }
      largest = std::max(largest, scale);
    }
    return TileLook{size, 128 * largest};
  }

  CodecError ErrorBound(absl::Span<const float> values) const override {
    CodecError error;
    for (size_t begin = 0; begin < values.size(); begin += kBlock) {
      const auto block = values.subspan(begin, kBlock);
      const double largest = LargestMagnitude(block.data(), block.size());
      const double step = largest / 127 * kSlack;
      const double bound = largest < kTiny ? largest : stochastic_ ? step : step / 2;
      // Stochastic rounding: a fraction f of a step has variance f (1 - f) <= 1/4.
      const double deviation = std::min(bound, step / 2);
      error.largest = std::max(error.largest, bound);
      error.expected_square += static_cast<double>(block.size()) * deviation * deviation;
      if (largest < kTiny) error.expected_square += static_cast<double>(block.size()) * bound * bound;
    }
    return error;
  }

 private:
  const Isa isa_;
  const bool stochastic_;
};

}  // namespace

CodecRow Int8Row() {
  return {"int8",
          v1::CODEC_INT8,
          "1 byte a number, to 1/254 of the largest of 512",
          {{"stochastic", 0, 0, 1, true,
            "1: round up or down at random, so that the mean is right; 0: to nearest, half the "
            "largest error"}},
          [](const CodecSetting& setting) -> std::shared_ptr<const Codec> {
            return std::make_shared<Int8Codec>(setting, setting.values[0] != 0);
          }};
}

}  // namespace starling
