// The table of codecs. A new codec is a file with a row, and a line in registry.cc; decoders, flags,
// the conformance suite and the benchmarks find it there.

#ifndef STARLING_PEER_CODEC_REGISTRY_H_
#define STARLING_PEER_CODEC_REGISTRY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "peer/codec/codec.h"
#include "peer/runtime/isa.h"
#include "peer/codec/row.h"

namespace starling {

const std::vector<CodecRow>& CodecRegistry();

// A codec from "NAME" or "NAME:option=value,option=value"; a value may be a fraction such as 1/100.
// INVALID_ARGUMENT names what is unknown, with the nearest known name, or out of range.
absl::StatusOr<std::shared_ptr<const Codec>> MakeCodec(absl::string_view spec,
                                                       Isa isa = BestIsa());

// fp32.
const std::shared_ptr<const Codec>& PlainCodec();

// Reads what frames of that codec carry; null if there is none. Lives for ever.
const Codec* FindDecoder(v1::Codec wire);

// "fp32, fp16, ...", for messages and help.
std::string CodecNames();

}  // namespace starling

#endif  // STARLING_PEER_CODEC_REGISTRY_H_
