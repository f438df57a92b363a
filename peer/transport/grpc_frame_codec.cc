#include "peer/transport/grpc_frame_codec.h"

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
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

SharedBytes CopyPayload(const WireFrame& wire, BufferPool& pool) {
  const size_t floats = (wire.payload_size + sizeof(float) - 1) / sizeof(float);
  MutableBuffer buffer = pool.Take(floats);
  char* to = reinterpret_cast<char*>(buffer.floats().data());
  for (absl::string_view piece : wire.payload) {
    std::memcpy(to, piece.data(), piece.size());
    to += piece.size();
  }
  return std::move(buffer).Freeze().Slice(0, wire.payload_size);
}

}  // namespace

grpc::ByteBuffer EncodeFrame(Frame frame) {
  SealFrame(frame);
  grpc::Slice slices[2] = {grpc::Slice(EncodeFramePrefix(frame.header, frame.payload.size()))};
  if (frame.payload.empty()) return grpc::ByteBuffer(slices, 1);
  slices[1] = Reference(frame.payload);
  return grpc::ByteBuffer(slices, 2);
}

absl::Status DecodeFrame(const grpc::ByteBuffer& buffer, BufferPool& pool, DecodedFrame* decoded) {
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
  if (!parsed.ok()) {
    decoded->fault = FrameFault{v1::REFUSAL_REASON_OVERSIZED, std::string(parsed.message())};
    return absl::OkStatus();
  }
  if (wire.payload_size > 0) frame.payload = CopyPayload(wire, pool);
  decoded->fault = InspectFrame(frame);
  if (decoded->fault) frame.payload = SharedBytes();
  return absl::OkStatus();
}

}  // namespace starling
