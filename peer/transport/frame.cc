#include "peer/transport/frame.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/codec/payload.h"
#include "peer/codec/registry.h"
#include "xxhash.h"

// XXH3_64bits is the SSE2 variant of Debian's library; this makes it the best that the processor has,
// which gives the same hash 2.7 times faster with AVX-512.
#if defined(__x86_64__)
#include "xxh_x86dispatch.h"
#endif

namespace starling {
namespace {

bool MayHavePayload(v1::FrameKind kind) {
  switch (kind) {
    case v1::FRAME_KIND_MIX_REQUEST:
    case v1::FRAME_KIND_MIX_REPLY:
    case v1::FRAME_KIND_STATE_REPLY:
    case v1::FRAME_KIND_REDUCE:
    case v1::FRAME_KIND_AVERAGE:
    case v1::FRAME_KIND_NEIGHBOUR_VALUES:
      return true;
    default:
      return false;
  }
}

// Values or differences: replies, as their rule will have it. Parameters: what carries them must not
// be coarse. Everything else is exact.
bool MayBeWrittenWith(v1::FrameKind kind, const Codec& codec) {
  if (kind == v1::FRAME_KIND_MIX_REPLY) return true;
  if (kind == v1::FRAME_KIND_MIX_REQUEST) return codec.contract().bytes_per_element > 0;
  return codec.contract().exact;
}

bool MayLackPayload(v1::FrameKind kind) {
  return !MayHavePayload(kind) || kind == v1::FRAME_KIND_MIX_REQUEST ||
         kind == v1::FRAME_KIND_MIX_REPLY;
}

}  // namespace

uint64_t HashPayload(const SharedBytes& payload) {
  return XXH3_64bits(payload.data(), payload.size());
}

void SealFrame(Frame& frame, PayloadProof proof) {
  frame.header.clear_payload_hash();
  if (frame.payload.empty()) {
    frame.header.clear_codec();
    return;
  }
  if (frame.header.codec() == v1::CODEC_UNSPECIFIED) frame.header.set_codec(v1::CODEC_FP32);
  if (proof == PayloadProof::kHash) frame.header.set_payload_hash(HashPayload(frame.payload));
}

absl::optional<FrameFault> InspectFrame(Frame& frame, PayloadProof proof) {
  const v1::ShardHeader& header = frame.header;
  if (header.kind() == v1::FRAME_KIND_UNSPECIFIED || !v1::FrameKind_IsValid(header.kind())) {
    return FrameFault{v1::REFUSAL_REASON_BAD_REQUEST,
                      absl::StrCat("frame kind ", static_cast<int>(header.kind()),
                                   " is not known to this version")};
  }
  if (frame.payload.empty()) {
    if (MayLackPayload(header.kind())) return absl::nullopt;
    return FrameFault{v1::REFUSAL_REASON_WRONG_LENGTH,
                      absl::StrCat("shard ", header.shard(), " came without its payload")};
  }
  if (!MayHavePayload(header.kind())) {
    return FrameFault{v1::REFUSAL_REASON_BAD_REQUEST,
                      absl::StrCat(v1::FrameKind_Name(header.kind()), " carries no payload, got ",
                                   frame.payload.size(), " bytes")};
  }
  const Codec* const codec = FindDecoder(header.codec());
  if (codec == nullptr) {
    return FrameFault{v1::REFUSAL_REASON_UNKNOWN_CODEC,
                      absl::StrCat("codec ", static_cast<int>(header.codec()),
                                   " is not known to this version; known: ", CodecNames())};
  }
  if (!MayBeWrittenWith(header.kind(), *codec)) {
    return FrameFault{v1::REFUSAL_REASON_UNKNOWN_CODEC,
                      absl::StrCat(v1::FrameKind_Name(header.kind()), " written as ",
                                   codec->spec(), ", which is too coarse for what it carries")};
  }
  if (frame.payload.size() > kMaxPayloadBytes) {
    return FrameFault{v1::REFUSAL_REASON_OVERSIZED,
                      absl::StrCat("payload of ", frame.payload.size(), " bytes, limit ",
                                   kMaxPayloadBytes)};
  }
  if (size_t{header.elements()} * sizeof(float) > kMaxPayloadBytes) {
    return FrameFault{v1::REFUSAL_REASON_OVERSIZED,
                      absl::StrCat("payload of ", header.elements(), " numbers, limit ",
                                   kMaxPayloadBytes / sizeof(float))};
  }
  const size_t width = codec->contract().bytes_per_element;
  if (width > 0 && frame.payload.size() != header.elements() * width) {
    return FrameFault{v1::REFUSAL_REASON_WRONG_LENGTH,
                      absl::StrCat("payload of ", frame.payload.size(), " bytes for ",
                                   header.elements(), " ", codec->spec(), " numbers")};
  }
  if (proof == PayloadProof::kHash && HashPayload(frame.payload) != header.payload_hash()) {
    return FrameFault{v1::REFUSAL_REASON_CORRUPT,
                      absl::StrCat("payload of shard ", header.shard(),
                                   " does not match its hash; corrupted on the way")};
  }
  const absl::StatusOr<float> peak =
      InspectPayload(*codec, {frame.payload.data(), frame.payload.size()}, header.elements());
  if (!peak.ok()) {
    return FrameFault{absl::IsOutOfRange(peak.status()) ? v1::REFUSAL_REASON_NON_FINITE
                                                        : v1::REFUSAL_REASON_WRONG_LENGTH,
                      absl::StrCat("shard ", header.shard(), ": ", peak.status().message())};
  }
  frame.peak = *peak;
  return absl::nullopt;
}

Frame MakeRefusal(const v1::ShardHeader& refused, v1::RefusalReason reason, std::string detail) {
  Frame frame;
  frame.header = refused;
  frame.header.set_kind(v1::FRAME_KIND_REFUSAL);
  frame.header.set_refused_kind(refused.kind());
  frame.header.set_refusal(reason);
  frame.header.set_detail(std::move(detail));
  frame.header.clear_codec();
  frame.header.clear_payload_hash();
  frame.header.clear_contributors();
  return frame;
}

}  // namespace starling
