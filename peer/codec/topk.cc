// topk: of every tile the numbers of largest magnitude, exactly, and zero for all others. A tile is
//
//   uint16 count     uint16 x count: places, ascending     float x count: numbers
//
// Of equal magnitudes the earlier place wins.

#include <algorithm>
#include <cmath>
#include <functional>

#include "peer/codec/bits.h"
#include "peer/codec/residual.h"
#include "peer/codec/row.h"

namespace starling {
namespace {

class TopkCodec final : public Codec {
 public:
  TopkCodec(const CodecSetting& setting, double share)
      : Codec(setting.spec, v1::CODEC_TOPK, {.state = CodecContract::State::kResidual}),
        share_(share) {}

  size_t MaxTileBytes(size_t elements) const override {
    return sizeof(uint16_t) + CountOf(elements) * (sizeof(uint16_t) + sizeof(float));
  }

  std::unique_ptr<CodecState> NewState(size_t elements) const override {
    return std::make_unique<ResidualState>(elements);
  }

  size_t EncodeTile(absl::Span<const float> values, const TileTerms& terms,
                    char* out) const override {
    return WithResidual(values, terms,
                        [this, out](absl::Span<float> rest) { return Select(rest, out); });
  }

  absl::StatusOr<size_t> DecodeTile(absl::string_view bytes,
                                    absl::Span<float> values) const override {
    const absl::StatusOr<Tile> tile = Parse(bytes, values.size());
    if (!tile.ok()) return tile.status();
    std::fill(values.begin(), values.end(), 0.0f);
    for (size_t i = 0; i < tile->count; ++i) {
      values[Load<uint16_t>(tile->places + i * sizeof(uint16_t))] =
          Load<float>(tile->numbers + i * sizeof(float));
    }
    return tile->size;
  }

  absl::StatusOr<TileLook> InspectTile(absl::string_view bytes, size_t elements) const override {
    const absl::StatusOr<Tile> tile = Parse(bytes, elements);
    if (!tile.ok()) return tile.status();
    uint32_t peak = 0;
    for (size_t i = 0; i < tile->count; ++i) {
      peak = std::max(peak, MagnitudeOf(Load<float>(tile->numbers + i * sizeof(float))));
    }
    if (peak >= kInfinityBits) return absl::OutOfRangeError("payload holds NaN or infinity");
    return TileLook{tile->size, FloatOf(peak)};
  }

  CodecError ErrorBound(absl::Span<const float> values) const override {
    // What is dropped is at most as large on average as what is kept.
    double square = 0;
    for (const float value : values) square += double{value} * value;
    const double dropped =
        1 - static_cast<double>(CountOf(values.size())) / static_cast<double>(values.size());
    return {LargestMagnitude(values.data(), values.size()), dropped * square};
  }

 private:
  struct Tile {
    size_t count = 0;
    const char* places = nullptr;
    const char* numbers = nullptr;
    size_t size = 0;
  };

  size_t CountOf(size_t elements) const {
    const auto rounded = static_cast<size_t>(share_ * static_cast<double>(elements) + 0.5);
    return std::clamp<size_t>(rounded, std::min<size_t>(1, elements), elements);
  }

  size_t Select(absl::Span<float> rest, char* out) const {
    const size_t count = CountOf(rest.size());
    // Magnitude above place, so that keys are distinct and sort as wanted.
    uint64_t keys[kTileElements];
    for (size_t i = 0; i < rest.size(); ++i) {
      keys[i] = uint64_t{MagnitudeOf(rest[i])} << 32 | (kTileElements - i);
    }
    std::nth_element(keys, keys + count, keys + rest.size(), std::greater<>());
    uint16_t places[kTileElements];
    for (size_t i = 0; i < count; ++i) {
      places[i] = static_cast<uint16_t>(kTileElements - (keys[i] & 0xffffffff));
    }
    std::sort(places, places + count);
    Store(out, static_cast<uint16_t>(count));
    char* to = out + sizeof(uint16_t);
    for (size_t i = 0; i < count; ++i, to += sizeof(uint16_t)) Store(to, places[i]);
    for (size_t i = 0; i < count; ++i, to += sizeof(float)) {
      Store(to, rest[places[i]]);
      rest[places[i]] = 0;
    }
    return static_cast<size_t>(to - out);
  }

  static absl::StatusOr<Tile> Parse(absl::string_view bytes, size_t elements) {
    if (bytes.size() < sizeof(uint16_t)) return Truncated(elements);
    Tile tile;
    tile.count = Load<uint16_t>(bytes.data());
    if (tile.count > elements) {
      return absl::InvalidArgumentError("payload holds more numbers than its tile has places");
    }
    tile.size = sizeof(uint16_t) + tile.count * (sizeof(uint16_t) + sizeof(float));
    if (bytes.size() < tile.size) return Truncated(elements);
    tile.places = bytes.data() + sizeof(uint16_t);
    tile.numbers = tile.places + tile.count * sizeof(uint16_t);
    int32_t last = -1;
    for (size_t i = 0; i < tile.count; ++i) {
      const int32_t place = Load<uint16_t>(tile.places + i * sizeof(uint16_t));
      if (place <= last || place >= static_cast<int32_t>(elements)) {
        return absl::InvalidArgumentError("payload names places out of order or beyond its tile");
      }
      last = place;
    }
    return tile;
  }

  const double share_;
};

}  // namespace

CodecRow TopkRow() {
  return {"topk",
          v1::CODEC_TOPK,
          "the largest differences only, exactly, with their places",
          {{"share", 0.01, 1e-4, 0.5, false,
            "share of the numbers that is sent, 6 bytes each; up: faster agreement, more bytes"}},
          [](const CodecSetting& setting) -> std::shared_ptr<const Codec> {
            return std::make_shared<TopkCodec>(setting, setting.values[0]);
          }};
}

}  // namespace starling
