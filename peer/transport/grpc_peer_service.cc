#include "peer/transport/grpc_peer_service.h"

#include <utility>

#include "peer/runtime/check.h"
#include "peer/runtime/grpc_status.h"
#include "peer/transport/grpc_frame_stream.h"
#include "peer/transport/this_host.h"

namespace starling {

// The other end of somebody's Exchange stream. The service owns it until gRPC is done with it.
class GrpcPeerService::IncomingStream final
    : public GrpcFrameStream,
      public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  IncomingStream(GrpcPeerService* service, std::shared_ptr<GrpcStreamShared> shared,
                 const std::string& client)
      : GrpcFrameStream(std::move(shared)), service_(service), here_(IsThisHost(client)) {}

  using GrpcFrameStream::Begin;

 private:
  void OnReadDone(bool ok) override { ReadDone(ok); }
  void OnWriteDone(bool ok) override { WriteDone(ok); }
  void OnCancel() override { End(absl::CancelledError()); }
  void OnDone() override {
    auto self = std::static_pointer_cast<IncomingStream>(shared_from_this());
    absl::MutexLock lock(&service_->mutex_);
    service_->streams_.erase(self);
  }

  bool OtherEndIsHere() const override { return here_; }
  void StartReadOp(grpc::ByteBuffer* into) override { StartRead(into); }
  void StartWriteOp(const grpc::ByteBuffer* from, bool more) override {
    grpc::WriteOptions options;
    if (more) options.set_buffer_hint();
    StartWrite(from, options);
  }
  bool StartCloseOp() override {
    Finish(grpc::Status::OK);
    return true;
  }
  void EndOp(const absl::Status& why) override { Finish(ToGrpcStatus(why)); }
  // The client sends no more; answers that are queued still go out.
  void OnReadsOver() override { Close(); }

  GrpcPeerService* const service_;
  const bool here_;
};

// One Control call. Finished by the responder, by the responder's end, or by the client's
// cancellation, whichever comes first.
class GrpcPeerService::IncomingCall final : public grpc::ServerUnaryReactor {
 public:
  // A right to answer; answers with an error when it dies unused.
  class Responder {
   public:
    explicit Responder(std::shared_ptr<IncomingCall> call) : call_(std::move(call)) {}
    Responder(Responder&&) = default;
    ~Responder() {
      if (call_ != nullptr) {
        call_->Answer(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the question was dropped"), {});
      }
    }
    void operator()(v1::ControlResponse response) {
      std::exchange(call_, nullptr)->Answer(grpc::Status::OK, std::move(response));
    }

   private:
    std::shared_ptr<IncomingCall> call_;
  };

  explicit IncomingCall(v1::ControlResponse* response) : response_(response) {}

  void Own(std::shared_ptr<IncomingCall> self) { self_ = std::move(self); }

  void Answer(grpc::Status status, v1::ControlResponse response) {
    absl::MutexLock lock(&mutex_);
    if (std::exchange(finished_, true)) return;
    *response_ = std::move(response);
    Finish(std::move(status));
  }

 private:
  void OnCancel() override { Answer(grpc::Status::CANCELLED, {}); }
  void OnDone() override { self_.reset(); }

  absl::Mutex mutex_;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  v1::ControlResponse* const response_;  // gRPC's, until Finish
  std::shared_ptr<IncomingCall> self_;
};

GrpcPeerService::GrpcPeerService(std::shared_ptr<GrpcStreamShared> shared)
    : shared_(std::move(shared)) {}

GrpcPeerService::~GrpcPeerService() {
  absl::MutexLock lock(&mutex_);
  STARLING_CHECK(streams_.empty());
}

void GrpcPeerService::SetAccepting(bool accepting) {
  std::set<std::shared_ptr<IncomingStream>> streams;
  {
    absl::MutexLock lock(&mutex_);
    accepting_ = accepting;
    if (!accepting) streams = streams_;
  }
  for (const auto& stream : streams) stream->Close();
}

size_t GrpcPeerService::streams() const {
  absl::MutexLock lock(&mutex_);
  return streams_.size();
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* GrpcPeerService::Exchange(
    grpc::CallbackServerContext* context) {
  auto stream = std::make_shared<IncomingStream>(this, shared_, context->peer());
  bool accepting;
  {
    absl::MutexLock lock(&mutex_);
    accepting = accepting_;
    streams_.insert(stream);
  }
  if (accepting) {
    stream->Begin(/*proposes=*/false);
  } else {
    stream->End(absl::UnavailableError("this peer is leaving"));
  }
  return stream.get();
}

grpc::ServerUnaryReactor* GrpcPeerService::Control(grpc::CallbackServerContext*,
                                                   const v1::ControlRequest* request,
                                                   v1::ControlResponse* response) {
  auto call = std::make_shared<IncomingCall>(response);
  call->Own(call);
  IncomingCall::Responder responder(call);
  if (shared_->calls_waiting.fetch_add(1) >= shared_->options.max_waiting_calls) {
    shared_->calls_waiting.fetch_sub(1);
    call->Answer(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too many calls are waiting"),
                 {});
    return call.get();
  }
  shared_->control->Post(
      [shared = shared_, request = *request, responder = std::move(responder)]() mutable {
        shared->calls_waiting.fetch_sub(1);
        // Without a delegate the responder ends unused, which answers UNAVAILABLE.
        if (shared->delegate != nullptr) {
          shared->delegate->OnControl(std::move(request), std::move(responder));
        }
      });
  return call.get();
}

}  // namespace starling
