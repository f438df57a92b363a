#include "peer/transport/grpc_outgoing_stream.h"

#include <string>
#include <utility>

#include "grpcpp/client_context.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/client_callback.h"
#include "peer/runtime/grpc_status.h"
#include "peer/transport/this_host.h"

namespace starling {
namespace {

constexpr char kMethod[] = "/starling.v1.PeerService/Exchange";

// Operations are started from outside reactions, so the stream holds itself open ("hold" in gRPC's
// words) until it has ended.
class Stream final : public GrpcOutgoingStream,
                     public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  Stream(std::shared_ptr<grpc::Channel> channel, const std::string& address,
         std::shared_ptr<GrpcStreamShared> shared, DoneCallback done)
      : GrpcOutgoingStream(std::move(shared)),
        here_(IsThisHostAddress(address)),
        stub_(std::move(channel)),
        done_(std::move(done)) {}

  void Start(std::shared_ptr<Stream> self) {
    self_ = std::move(self);
    shared()->Began();
    stub_.PrepareBidiStreamingCall(&context_, kMethod, {}, this);
    AddHold();
    Begin(/*proposes=*/true);
    StartCall();
  }

 private:
  void OnReadDone(bool ok) override { ReadDone(ok); }
  void OnWriteDone(bool ok) override { WriteDone(ok); }
  void OnDone(const grpc::Status& status) override {
    absl::Status reason;
    if (!closing()) {
      reason = end_reason();
      if (reason.ok()) reason = FromGrpcStatus(status);
      if (reason.ok()) reason = absl::UnavailableError("the peer closed the stream");
    }
    done_(std::move(reason));
    const std::shared_ptr<GrpcStreamShared> shared = this->shared();
    self_.reset();
    shared->Finished();
  }

  bool OtherEndIsHere() const override { return here_ || IsThisHost(context_.peer()); }
  void StartReadOp(grpc::ByteBuffer* into) override { StartRead(into); }
  void StartWriteOp(const grpc::ByteBuffer* from, bool more) override {
    grpc::WriteOptions options;
    if (more) options.set_buffer_hint();
    StartWrite(from, options);
  }
  bool StartCloseOp() override {
    StartWritesDone();
    return false;
  }
  void EndOp(const absl::Status& why) override {
    if (!why.ok()) context_.TryCancel();
    RemoveHold();
  }
  // The call is over; gRPC has its status and gives it to OnDone.
  void OnReadsOver() override { End(absl::OkStatus()); }

  const bool here_;
  grpc::ClientContext context_;
  grpc::GenericStub stub_;
  DoneCallback done_;
  std::shared_ptr<Stream> self_;
};

}  // namespace

std::shared_ptr<GrpcOutgoingStream> GrpcOutgoingStream::Open(
    std::shared_ptr<grpc::Channel> channel, const std::string& address,
    std::shared_ptr<GrpcStreamShared> shared, DoneCallback done) {
  auto stream =
      std::make_shared<Stream>(std::move(channel), address, std::move(shared), std::move(done));
  stream->Start(stream);
  return stream;
}

}  // namespace starling
