// qsgd (Alistarh et al., arXiv 1610.02132): stochastic levels, with the largest magnitude of each
// bucket of 512 for its norm. A tile is a byte `bits` and its buckets (levels.h).

#include <algorithm>
#include <cmath>

#include "peer/codec/bits.h"
#include "peer/codec/levels.h"
#include "peer/codec/row.h"

namespace starling {
namespace {

class QsgdCodec final : public Codec {
 public:
  QsgdCodec(const CodecSetting& setting, uint32_t bits)
      : Codec(setting.spec, v1::CODEC_QSGD, {.unbiased = true, .keyed = true}),
        isa_(setting.isa),
        bits_(bits) {}

  size_t MaxTileBytes(size_t elements) const override { return TileBytes(elements, bits_); }

  size_t EncodeTile(absl::Span<const float> values, const TileTerms& terms,
                    char* out) const override {
    *out = static_cast<char>(bits_);
    char* to = out + 1;
    for (size_t begin = 0; begin < values.size(); begin += kBucket) {
      const auto bucket = values.subspan(begin, kBucket);
      EncodeBucket(bucket, BucketNorm(bucket, isa_), bits_, terms.key,
                   static_cast<uint32_t>(begin), isa_, to);
      to += BucketBytes(bucket.size(), bits_);
    }
    return static_cast<size_t>(to - out);
  }

  absl::StatusOr<size_t> DecodeTile(absl::string_view bytes,
                                    absl::Span<float> values) const override {
    const absl::StatusOr<uint32_t> bits = BitsOfTile(bytes, values.size());
    if (!bits.ok()) return bits.status();
    const char* from = bytes.data() + 1;
    for (size_t begin = 0; begin < values.size(); begin += kBucket) {
      const auto bucket = values.subspan(begin, kBucket);
      DecodeBucket(from, *bits, isa_, bucket);
      from += BucketBytes(bucket.size(), *bits);
    }
    return static_cast<size_t>(from - bytes.data());
  }

  absl::StatusOr<TileLook> InspectTile(absl::string_view bytes, size_t elements) const override {
    const absl::StatusOr<uint32_t> bits = BitsOfTile(bytes, elements);
    if (!bits.ok()) return bits.status();
    TileLook look{TileBytes(elements, *bits)};
    for (size_t at = 1; at < look.bytes; at += BucketBytes(kBucket, *bits)) {
      const float peak = BucketPeak(bytes.data() + at);
      if (!std::isfinite(peak)) {
        return absl::OutOfRangeError("payload holds a norm that is not finite");
      }
      look.peak = std::max(look.peak, peak);
    }
    return look;
  }

  CodecError ErrorBound(absl::Span<const float> values) const override {
    CodecError error;
    for (size_t begin = 0; begin < values.size(); begin += kBucket) {
      const CodecError bucket = BucketError(values.subspan(begin, kBucket), bits_);
      error.largest = std::max(error.largest, bucket.largest);
      error.expected_square += bucket.expected_square;
    }
    return error;
  }

 private:
  static size_t TileBytes(size_t elements, uint32_t bits) {
    const size_t rest = elements % kBucket;
    return 1 + elements / kBucket * BucketBytes(kBucket, bits) +
           (rest == 0 ? 0 : BucketBytes(rest, bits));
  }

  // Of a tile that is all there.
  static absl::StatusOr<uint32_t> BitsOfTile(absl::string_view bytes, size_t elements) {
    if (bytes.empty()) return Truncated(elements);
    const uint32_t bits = static_cast<uint8_t>(bytes[0]);
    if (bits < kLeastBits || bits > kMostBits) {
      return absl::InvalidArgumentError("payload holds a tile of an unknown number of bits");
    }
    if (bytes.size() < TileBytes(elements, bits)) return Truncated(elements);
    return bits;
  }

  const Isa isa_;
  const uint32_t bits_;
};

}  // namespace

CodecRow QsgdRow() {
  return {"qsgd",
          v1::CODEC_QSGD,
          "a sign and a random level a number, right on average",
          {{"bits", 4, kLeastBits, kMostBits, true,
            "bits a number, its sign included; one more halves the noise"}},
          [](const CodecSetting& setting) -> std::shared_ptr<const Codec> {
            return std::make_shared<QsgdCodec>(setting,
                                               static_cast<uint32_t>(setting.values[0]));
          }};
}

}  // namespace starling
