// Whole payloads: vectors through a codec, tile by tile.

#ifndef STARLING_PEER_CODEC_PAYLOAD_H_
#define STARLING_PEER_CODEC_PAYLOAD_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "peer/codec/codec.h"

namespace starling {

// Writes the payload and returns its size; `out` has room for codec.MaxBytes(values.size()). Payloads
// of one sender have different seeds. `state`: null or codec.NewState(values.size()).
size_t EncodePayload(const Codec& codec, absl::Span<const float> values, uint64_t seed,
                     CodecState* state, char* out);

// INVALID_ARGUMENT: not a payload of so many numbers; then `values` hold anything.
absl::Status DecodePayload(const Codec& codec, absl::string_view bytes, absl::Span<float> values);

// The same without the values: a magnitude that none of them exceeds. OUT_OF_RANGE: one is not finite.
absl::StatusOr<float> InspectPayload(const Codec& codec, absl::string_view bytes, size_t elements);

}  // namespace starling

#endif  // STARLING_PEER_CODEC_PAYLOAD_H_
