// The server side of a GrpcTransport: v1.PeerService, which takes streams of frames and control
// calls and hands both to the transport's delegate on the control executor.
//
// Exchange is served raw (messages as ByteBuffers, for the payload's sake), Control typed; clients
// and server reflection see no difference. gRPC threads only parse and post.

#ifndef STARLING_PEER_TRANSPORT_GRPC_PEER_SERVICE_H_
#define STARLING_PEER_TRANSPORT_GRPC_PEER_SERVICE_H_

#include <cstddef>
#include <memory>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "peer/transport/grpc_stream_shared.h"
#include "proto/peer.grpc.pb.h"

namespace starling {

class GrpcPeerService final
    : public v1::PeerService::WithRawCallbackMethod_Exchange<
          v1::PeerService::WithCallbackMethod_Control<v1::PeerService::Service>> {
 public:
  explicit GrpcPeerService(std::shared_ptr<GrpcStreamShared> shared);
  // After the server that it is registered with.
  ~GrpcPeerService() override;

  // Lets streams in, or ends those that are open once what they have queued is sent, and refuses
  // new ones with UNAVAILABLE. Lets them in at first. Any thread.
  void SetAccepting(bool accepting);

  // Open streams. Any thread.
  size_t streams() const;

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Exchange(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* Control(grpc::CallbackServerContext* context,
                                    const v1::ControlRequest* request,
                                    v1::ControlResponse* response) override;

 private:
  class IncomingStream;
  class IncomingCall;

  const std::shared_ptr<GrpcStreamShared> shared_;
  mutable absl::Mutex mutex_;
  bool accepting_ ABSL_GUARDED_BY(mutex_) = true;
  std::set<std::shared_ptr<IncomingStream>> streams_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace starling

#endif  // STARLING_PEER_TRANSPORT_GRPC_PEER_SERVICE_H_
