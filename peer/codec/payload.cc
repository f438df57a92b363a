#include "peer/codec/payload.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "peer/codec/bits.h"

namespace starling {
namespace {

// `read(bytes, offset, elements)` reads one tile and returns its size.
template <typename Read>
absl::Status ForEachTile(absl::string_view bytes, size_t elements, Read read) {
  for (size_t offset = 0; offset < elements; offset += kTileElements) {
    const absl::StatusOr<size_t> used =
        read(bytes, offset, std::min(kTileElements, elements - offset));
    if (!used.ok()) return used.status();
    bytes.remove_prefix(*used);
  }
  if (bytes.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("payload has ", bytes.size(), " bytes after its ", elements, " numbers"));
}

}  // namespace

size_t EncodePayload(const Codec& codec, absl::Span<const float> values, uint64_t seed,
                     CodecState* state, char* out) {
  char* to = out;
  for (size_t offset = 0; offset < values.size(); offset += kTileElements) {
    const TileTerms terms{TileKey(seed, offset / kTileElements), offset, state};
    to += codec.EncodeTile(values.subspan(offset, kTileElements), terms, to);
  }
  if (state != nullptr) state->EndPayload();
  return static_cast<size_t>(to - out);
}

absl::Status DecodePayload(const Codec& codec, absl::string_view bytes, absl::Span<float> values) {
  return ForEachTile(bytes, values.size(),
                     [&](absl::string_view rest, size_t offset, size_t elements) {
                       return codec.DecodeTile(rest, values.subspan(offset, elements));
                     });
}

absl::StatusOr<float> InspectPayload(const Codec& codec, absl::string_view bytes,
                                     size_t elements) {
  float peak = 0;
  const absl::Status whole = ForEachTile(
      bytes, elements,
      [&](absl::string_view rest, size_t, size_t count) -> absl::StatusOr<size_t> {
        const absl::StatusOr<TileLook> look = codec.InspectTile(rest, count);
        if (!look.ok()) return look.status();
        peak = std::max(peak, look->peak);
        return look->bytes;
      });
  if (!whole.ok()) return whole;
  return peak;
}

}  // namespace starling
