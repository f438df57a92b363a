// Transport over gRPC: what peerd runs on.
//
// To every address lead two connections, one for calls and one for frames, opened when first used.
// Frames travel on one long-lived Exchange stream per address, in order; it is closed when idle and
// opened anew by the next frame. When it breaks, the frames queued on it are dropped and the
// delegate hears of it. Frames that others send arrive through `service()`, which the owner
// registers with a GrpcServer; they are answered on the stream that brought them.
//
// Lives on the control executor, like every Transport. Destroy it there, or after that executor has
// stopped, and after the server that `service()` is registered with. The destructor cancels what is
// underway and waits until gRPC has let go; callbacks of cancelled calls are still posted.

#ifndef STARLING_PEER_TRANSPORT_GRPC_TRANSPORT_H_
#define STARLING_PEER_TRANSPORT_GRPC_TRANSPORT_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "peer/runtime/executor.h"
#include "peer/transport/grpc_transport_options.h"
#include "peer/transport/transport.h"

namespace grpc {
class Service;
}

namespace starling {

class GrpcOutgoingStream;
class GrpcPeerService;
class GrpcStreamShared;

class GrpcTransport final : public Transport {
 public:
  // `options` must be valid. Construction may happen on any thread.
  GrpcTransport(Executor* control, const GrpcTransportOptions& options);
  ~GrpcTransport() override;

  // v1.PeerService. Calls and streams that arrive while there is no delegate are refused.
  grpc::Service* service();

  // Who signs the refusals that the transport itself sends. Any thread.
  void SetIdentity(uint64_t sender, uint64_t incarnation, uint64_t run_id);

  // The queue of each stream may hold so many bytes from now on, if it may not hold more anyway: as much as is sent
  // to one peer at once, once the model is known. Any thread.
  void MakeRoomFor(size_t bytes);

  // Transport. SetDelegate(nullptr) also ends the streams that others opened, so that a server that
  // shuts down need not wait for them. SendFrame also returns INVALID_ARGUMENT for a frame larger
  // than any peer accepts.
  void SetDelegate(Delegate* delegate) override;
  absl::Status SendFrame(const std::string& address, Frame frame) override;
  void Call(const std::string& address, v1::ControlRequest request, absl::Duration timeout,
            CallCallback done) override;
  void Forget(const std::string& address) override;
  uint64_t bytes_sent() const override;
  uint64_t bytes_received() const override;
  // Those of them that were copied from the memory of other processes of this host.
  uint64_t bytes_copied() const;

  // Frames that were queued and then dropped: their stream broke, or its queue was full.
  uint64_t frames_dropped() const;
  // Streams that others opened to us and that are open now. Any thread.
  size_t incoming_streams() const;

 private:
  struct Path;
  struct PendingCall;

  Path& PathTo(const std::string& address);
  void OpenStream(const std::string& address, Path& path);
  void OnStreamDone(const std::string& address, uint64_t stream, const absl::Status& status);
  // Closes what is idle; every half idle_timeout.
  void Sweep();
  void ScheduleSweep();

  const std::shared_ptr<GrpcStreamShared> shared_;
  const std::unique_ptr<GrpcPeerService> service_;

  // Control executor only.
  std::map<std::string, std::unique_ptr<Path>> paths_;
  // Every stream we opened and that is not over, whether or not its path still uses it, by a number
  // of its own; forgotten ones excepted.
  std::map<uint64_t, std::weak_ptr<GrpcOutgoingStream>> streams_;
  // Idle streams that were asked to end; they have until the next sweep.
  std::vector<std::weak_ptr<GrpcOutgoingStream>> closing_;
  std::map<uint64_t, std::shared_ptr<PendingCall>> calls_;
  uint64_t next_id_ = 1;
  TimerId sweep_timer_ = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_TRANSPORT_GRPC_TRANSPORT_H_
