#include "peer/transport/grpc_frame_codec.h"

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "peer/transport/same_host_path.h"
#include "peer/transport/wire.h"

namespace starling {
namespace {

using Owner = std::shared_ptr<const void>;

// A slice over memory that stays alive as long as the slice.
grpc::Slice Reference(const SharedBytes& bytes) {
  return grpc::Slice(
      const_cast<char*>(bytes.data()), bytes.size(),
      [](void* owner) { delete static_cast<Owner*>(owner); }, new Owner(bytes.owner()));
}

MutableBuffer TakeBytes(BufferPool& pool, size_t bytes) {
  return pool.Take((bytes + sizeof(float) - 1) / sizeof(float));
}

SharedBytes CopyPayload(const WireFrame& wire, BufferPool& pool) {
  MutableBuffer buffer = TakeBytes(pool, wire.payload_size);
  char* to = reinterpret_cast<char*>(buffer.floats().data());
  for (absl::string_view piece : wire.payload) {
    std::memcpy(to, piece.data(), piece.size());
    to += piece.size();
  }
  return std::move(buffer).Freeze().Slice(0, wire.payload_size);
}

absl::optional<FrameFault> FetchPayload(int64_t process, const v1::SameHost& reference,
                                        BufferPool& pool, SharedBytes* payload) {
  const size_t size = reference.payload_bytes();
  if (size > kMaxPayloadBytes) {
    return FrameFault{v1::REFUSAL_REASON_OVERSIZED,
                      absl::StrCat("payload of ", size, " bytes, limit ", kMaxPayloadBytes)};
  }
  if (process == 0) {
    return FrameFault{v1::REFUSAL_REASON_CORRUPT, "refers to memory that cannot be read from here"};
  }
  MutableBuffer buffer = TakeBytes(pool, size);
  char* const to = reinterpret_cast<char*>(buffer.floats().data());
  if (absl::Status fetched = SameHostPath::Fetch(process, reference, {to, size}); !fetched.ok()) {
    return FrameFault{v1::REFUSAL_REASON_CORRUPT, std::string(fetched.message())};
  }
  *payload = std::move(buffer).Freeze().Slice(0, size);
  return absl::nullopt;
}

}  // namespace

grpc::ByteBuffer EncodeFrame(Frame frame, const v1::SameHost* word) {
  SealFrame(frame);
  grpc::Slice slices[2] = {
      grpc::Slice(EncodeFramePrefix(frame.header, frame.payload.size(), word))};
  if (frame.payload.empty()) return grpc::ByteBuffer(slices, 1);
  slices[1] = Reference(frame.payload);
  return grpc::ByteBuffer(slices, 2);
}

grpc::ByteBuffer EncodeReferringFrame(Frame frame, const v1::SameHost& word) {
  SealFrame(frame, PayloadProof::kCopied);
  const grpc::Slice slice(EncodeFramePrefix(frame.header, 0, &word));
  return grpc::ByteBuffer(&slice, 1);
}

grpc::ByteBuffer EncodeWordAlone(const v1::SameHost& word) {
  const grpc::Slice slice(EncodeWord(word));
  return grpc::ByteBuffer(&slice, 1);
}

absl::Status DecodeFrame(const grpc::ByteBuffer& buffer, BufferPool& pool, int64_t process,
                         DecodedFrame* decoded) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) {
    return absl::InvalidArgumentError("message cannot be decompressed");
  }
  std::vector<absl::string_view> views;
  views.reserve(slices.size());
  for (const grpc::Slice& slice : slices) {
    views.emplace_back(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }

  WireFrame wire;
  const absl::Status parsed = ParseFrame(views, &wire);
  if (absl::IsInvalidArgument(parsed)) return parsed;
  Frame& frame = decoded->frame;
  frame.header = std::move(wire.header);
  decoded->word = std::move(wire.word);
  decoded->only_word = decoded->word && !wire.has_header;
  if (!parsed.ok()) {
    decoded->fault = FrameFault{v1::REFUSAL_REASON_OVERSIZED, std::string(parsed.message())};
    return absl::OkStatus();
  }
  if (decoded->only_word) return absl::OkStatus();
  const bool referred = decoded->word && decoded->word->payload_bytes() > 0;
  if (referred) {
    decoded->fault = FetchPayload(process, *decoded->word, pool, &frame.payload);
  } else if (wire.payload_size > 0) {
    frame.payload = CopyPayload(wire, pool);
  }
  if (!decoded->fault) {
    decoded->fault =
        InspectFrame(frame, referred ? PayloadProof::kCopied : PayloadProof::kHash);
  }
  if (decoded->fault) frame.payload = SharedBytes();
  return absl::OkStatus();
}

}  // namespace starling
