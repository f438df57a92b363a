// randk: of every tile some numbers at random places, exactly, and zero for all others. Both sides
// draw the places from a key, so that they need not travel. A tile is
//
//   uint16 count     uint32 key     float x count: numbers
//
// The tile is cut into `count` strata of equal length, to within one; the i-th number lies in the
// i-th stratum.

#include <algorithm>
#include <cmath>

#include "peer/codec/bits.h"
#include "peer/codec/residual.h"
#include "peer/codec/row.h"

namespace starling {
namespace {

constexpr size_t kPrefix = sizeof(uint16_t) + sizeof(uint32_t);

// Place of the i-th of `count` <= `elements` numbers.
size_t PlaceOf(size_t i, size_t count, size_t elements, uint32_t key) {
  const size_t begin = i * elements / count;
  const size_t length = (i + 1) * elements / count - begin;
  return begin + static_cast<size_t>(
                     uint64_t{CounterRandom(key, static_cast<uint32_t>(i))} * length >> 32);
}

class RandkCodec final : public Codec {
 public:
  RandkCodec(const CodecSetting& setting, double share)
      : Codec(setting.spec, v1::CODEC_RANDK,
              {.keyed = true, .state = CodecContract::State::kResidual}),
        share_(share) {}

  size_t MaxTileBytes(size_t elements) const override {
    return kPrefix + CountOf(elements) * sizeof(float);
  }

  std::unique_ptr<CodecState> NewState(size_t elements) const override {
    return std::make_unique<ResidualState>(elements);
  }

  size_t EncodeTile(absl::Span<const float> values, const TileTerms& terms,
                    char* out) const override {
    return WithResidual(values, terms, [&](absl::Span<float> rest) {
      const size_t count = CountOf(rest.size());
      Store(out, static_cast<uint16_t>(count));
      Store(out + sizeof(uint16_t), terms.key);
      char* to = out + kPrefix;
      for (size_t i = 0; i < count; ++i, to += sizeof(float)) {
        const size_t place = PlaceOf(i, count, rest.size(), terms.key);
        Store(to, rest[place]);
        rest[place] = 0;
      }
      return static_cast<size_t>(to - out);
    });
  }

  absl::StatusOr<size_t> DecodeTile(absl::string_view bytes,
                                    absl::Span<float> values) const override {
    const absl::StatusOr<size_t> count = Count(bytes, values.size());
    if (!count.ok()) return count;
    const auto key = Load<uint32_t>(bytes.data() + sizeof(uint16_t));
    std::fill(values.begin(), values.end(), 0.0f);
    for (size_t i = 0; i < *count; ++i) {
      values[PlaceOf(i, *count, values.size(), key)] =
          Load<float>(bytes.data() + kPrefix + i * sizeof(float));
    }
    return kPrefix + *count * sizeof(float);
  }

  absl::StatusOr<TileLook> InspectTile(absl::string_view bytes, size_t elements) const override {
    const absl::StatusOr<size_t> count = Count(bytes, elements);
    if (!count.ok()) return count.status();
    uint32_t peak = 0;
    for (size_t i = 0; i < *count; ++i) {
      peak = std::max(peak, MagnitudeOf(Load<float>(bytes.data() + kPrefix + i * sizeof(float))));
    }
    if (peak >= kInfinityBits) return absl::OutOfRangeError("payload holds NaN or infinity");
    return TileLook{kPrefix + *count * sizeof(float), FloatOf(peak)};
  }

  CodecError ErrorBound(absl::Span<const float> values) const override {
    double square = 0;
    for (const float value : values) square += double{value} * value;
    // Everything but one number of each stratum is dropped.
    const size_t stratum = (values.size() + CountOf(values.size()) - 1) / CountOf(values.size());
    return {LargestMagnitude(values.data(), values.size()),
            (1 - 1 / static_cast<double>(stratum)) * square};
  }

 private:
  size_t CountOf(size_t elements) const {
    const auto rounded = static_cast<size_t>(share_ * static_cast<double>(elements) + 0.5);
    return std::clamp<size_t>(rounded, std::min<size_t>(1, elements), elements);
  }

  // Of a tile that is all there.
  static absl::StatusOr<size_t> Count(absl::string_view bytes, size_t elements) {
    if (bytes.size() < kPrefix) return Truncated(elements);
    const size_t count = Load<uint16_t>(bytes.data());
    if (count > elements) {
      return absl::InvalidArgumentError("payload holds more numbers than its tile has places");
    }
    if (bytes.size() < kPrefix + count * sizeof(float)) return Truncated(elements);
    return count;
  }

  const double share_;
};

}  // namespace

CodecRow RandkRow() {
  return {"randk",
          v1::CODEC_RANDK,
          "differences at random places only, exactly; the places need not travel",
          {{"share", 0.1, 1e-4, 0.5, false,
            "share of the numbers that is sent, 4 bytes each; up: faster agreement, more bytes"}},
          [](const CodecSetting& setting) -> std::shared_ptr<const Codec> {
            return std::make_shared<RandkCodec>(setting, setting.values[0]);
          }};
}

}  // namespace starling
