// v1.ShardFrame as bytes, written and read around the payload, which is never copied here.
//
// What is written is plain protobuf: the header field, then the tag and length of the payload
// field, then the payload itself, which the caller appends from wherever it lies. What is read may
// be any encoding of a ShardFrame that protobuf would accept, in pieces cut anywhere: fields in
// any order, unknown ones skipped. Stricter than protobuf in three ways: header, word and payload may
// occur only once, and their sizes are limited. Nothing is allocated for a size that the input
// merely claims.
//
// Pure functions.

#ifndef STARLING_PEER_TRANSPORT_WIRE_H_
#define STARLING_PEER_TRANSPORT_WIRE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "proto/peer.pb.h"

namespace starling {

// Everything of the frame but the payload's own bytes. Without a payload (size 0) that is all. `word`: null
// for nothing to say.
std::string EncodeFramePrefix(const v1::ShardHeader& header, size_t payload_size,
                              const v1::SameHost* word = nullptr);
// A frame without a header.
std::string EncodeWord(const v1::SameHost& word);

struct WireFrame {
  v1::ShardHeader header;
  bool has_header = false;
  absl::optional<v1::SameHost> word;
  // The payload where it lies, in order: parts of the slices that were parsed.
  std::vector<absl::string_view> payload;
  size_t payload_size = 0;
};

// Parses the concatenation of `slices`; `*frame` refers to them and is meaningless after an error,
// but for the last:
// INVALID_ARGUMENT: not a ShardFrame, header larger than kMaxHeaderBytes, a field twice.
// RESOURCE_EXHAUSTED: payload larger than kMaxPayloadBytes; the header is there, for the answer.
absl::Status ParseFrame(absl::Span<const absl::string_view> slices, WireFrame* frame);

}  // namespace starling

#endif  // STARLING_PEER_TRANSPORT_WIRE_H_
