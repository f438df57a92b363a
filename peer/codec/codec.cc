#include "peer/codec/codec.h"

#include "absl/strings/str_cat.h"
#include "peer/codec/bits.h"
#include "peer/runtime/check.h"

namespace starling {

absl::StatusOr<TileLook> Codec::InspectTile(absl::string_view bytes, size_t elements) const {
  STARLING_CHECK(elements <= kTileElements);
  float values[kTileElements];
  const absl::StatusOr<size_t> used = DecodeTile(bytes, absl::MakeSpan(values, elements));
  if (!used.ok()) return used.status();
  const float peak = LargestMagnitude(values, elements);
  if (!IsFinite(peak)) return absl::OutOfRangeError("payload holds NaN or infinity");
  return TileLook{*used, peak};
}

absl::Status Codec::Truncated(size_t elements) {
  return absl::InvalidArgumentError(
      absl::StrCat("payload ends within a tile of ", elements, " numbers"));
}

}  // namespace starling
