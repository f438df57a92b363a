// Our end of an Exchange stream that we opened. See grpc_frame_stream.h.

#ifndef STARLING_PEER_TRANSPORT_GRPC_OUTGOING_STREAM_H_
#define STARLING_PEER_TRANSPORT_GRPC_OUTGOING_STREAM_H_

#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "grpcpp/channel.h"
#include "peer/transport/grpc_frame_stream.h"

namespace starling {

class GrpcOutgoingStream : public GrpcFrameStream {
 public:
  // Called once, on a gRPC thread, when the stream is over. OK: it was closed by our own Close.
  using DoneCallback = absl::AnyInvocable<void(absl::Status)>;

  // Opens a stream on the channel to `address`; connecting goes on in the background and fails through
  // `done`.
  static std::shared_ptr<GrpcOutgoingStream> Open(std::shared_ptr<grpc::Channel> channel,
                                                  const std::string& address,
                                                  std::shared_ptr<GrpcStreamShared> shared,
                                                  DoneCallback done);

 protected:
  using GrpcFrameStream::GrpcFrameStream;
};

}  // namespace starling

#endif  // STARLING_PEER_TRANSPORT_GRPC_OUTGOING_STREAM_H_
