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

// Seals the frame (codec and hash) and encodes it. `word`: what to tell a process of the same host beside it,
// may be null.
grpc::ByteBuffer EncodeFrame(Frame frame, const v1::SameHost* word = nullptr);
// The same for a frame whose payload `word` refers to.
grpc::ByteBuffer EncodeReferringFrame(Frame frame, const v1::SameHost& word);
// Nothing but a word.
grpc::ByteBuffer EncodeWordAlone(const v1::SameHost& word);

// A frame that was read. With a fault it has no payload and must not reach an actor.
struct DecodedFrame {
  Frame frame;
  absl::optional<FrameFault> fault;
  absl::optional<v1::SameHost> word;
  bool only_word = false;  // there is no frame beside it
};

// `process`: the one that may be referred to, 0 if none.
// INVALID_ARGUMENT: the bytes are no ShardFrame.
absl::Status DecodeFrame(const grpc::ByteBuffer& buffer, BufferPool& pool, int64_t process,
                         DecodedFrame* decoded);

}  // namespace starling

#endif  // STARLING_PEER_TRANSPORT_GRPC_FRAME_CODEC_H_
