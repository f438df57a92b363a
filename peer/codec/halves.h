// What fp16 and bf16 have in common: two bytes a number, the sign in the highest bit. Pure.

#ifndef STARLING_PEER_CODEC_HALVES_H_
#define STARLING_PEER_CODEC_HALVES_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "peer/codec/row.h"

namespace starling {

// |x - decoded(x)| <= relative |x| + absolute up to `largest`, which larger numbers become.
struct HalvesError {
  double relative;
  double absolute;
  double largest;
};

class HalvesCodec : public Codec {
 public:
  size_t MaxTileBytes(size_t elements) const final { return 2 * elements; }
  // INVALID_ARGUMENT: too short. OUT_OF_RANGE: a number is not finite.
  absl::StatusOr<TileLook> InspectTile(absl::string_view bytes, size_t elements) const final;
  CodecError ErrorBound(absl::Span<const float> values) const final;

 protected:
  HalvesCodec(const CodecSetting& setting, v1::Codec wire, HalvesError error)
      : Codec(setting.spec, wire, {.bytes_per_element = 2}), isa_(setting.isa), error_(error) {}

  Isa isa() const { return isa_; }
  // Without their sign, halves must be ordered as integers are, infinity and NaN above all others.
  virtual float ValueOf(uint16_t half) const = 0;

 private:
  const Isa isa_;
  const HalvesError error_;
};

}  // namespace starling

#endif  // STARLING_PEER_CODEC_HALVES_H_
