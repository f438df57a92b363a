// Frames as gRPC sends and receives them: ByteBuffers that hold v1.ShardFrame messages.
//
// Sending copies nothing: the buffer's second slice is the payload's own memory, kept alive until
// gRPC has sent it. Receiving copies the payload once, into an aligned buffer from a pool, and then
// hashes and inspects it there. Thread-safe.

#ifndef STARLING_PEER_TRANSPORT_GRPC_FRAME_CODEC_H_
#define STARLING_PEER_TRANSPORT_GRPC_FRAME_CODEC_H_

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "grpcpp/support/byte_buffer.h"
#include "peer/runtime/buffer_pool.h"
#include "peer/transport/frame.h"

namespace starling {

// Seals the frame (codec and hash) and encodes it.
grpc::ByteBuffer EncodeFrame(Frame frame);

// A frame that was read. With a fault it has no payload and must not reach an actor.
struct DecodedFrame {
  Frame frame;
  absl::optional<FrameFault> fault;
};

// INVALID_ARGUMENT: the bytes are no ShardFrame.
absl::Status DecodeFrame(const grpc::ByteBuffer& buffer, BufferPool& pool, DecodedFrame* decoded);

}  // namespace starling

#endif  // STARLING_PEER_TRANSPORT_GRPC_FRAME_CODEC_H_
