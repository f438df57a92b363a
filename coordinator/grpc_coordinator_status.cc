#include "coordinator/grpc_coordinator_status.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/runtime/grpc_server_stream.h"
#include "peer/runtime/version.h"

namespace starling {
namespace {

constexpr uint32_t kDefaultIntervalMs = 1000;

grpc::Status Overloaded() {
  return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                      "the coordinator has too many requests waiting; try again");
}

// Runs `work` on the actor and finishes the call with OK.
template <typename Work>
grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, CoordinatorActor* actor,
                                 Work work) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const bool posted = actor->Post([reactor, work = std::move(work)]() mutable {
    work();
    reactor->Finish(grpc::Status::OK);
  });
  if (!posted) reactor->Finish(Overloaded());
  return reactor;
}

}  // namespace

// One WatchStatus call. A client that reads slowly skips messages. Lives on the executor.
class GrpcCoordinatorStatus::StatusStream final
    : public std::enable_shared_from_this<StatusStream> {
 public:
  StatusStream(GrpcCoordinatorStatus* service, std::shared_ptr<GrpcServerStream<v1::Status>> stream,
               absl::Duration interval)
      : service_(service), stream_(std::move(stream)), interval_(interval) {}

  void Start() {
    if (service_->closing_) return End();
    if (service_->streams_.size() >= kMaxStreams) return stream_->Close(Overloaded());
    service_->streams_.insert(shared_from_this());
    stream_->SetCallbacks(nullptr, [self = shared_from_this()] {
      self->gone_ = true;
      self->service_->executor_->Cancel(self->timer_);
      self->service_->streams_.erase(self);
    });
    Send();
  }

  void End() {
    stream_->Close(
        grpc::Status(grpc::StatusCode::UNAVAILABLE, "the coordinator is shutting down"));
  }

 private:
  void Send() {
    if (gone_) return;
    if (stream_->CanWrite()) stream_->Write(service_->MakeStatus());
    timer_ = service_->executor_->ScheduleAt(service_->executor_->Now() + interval_,
                                             [self = shared_from_this()] { self->Send(); });
  }

  GrpcCoordinatorStatus* const service_;
  const std::shared_ptr<GrpcServerStream<v1::Status>> stream_;
  const absl::Duration interval_;
  TimerId timer_ = 0;
  bool gone_ = false;
};

GrpcCoordinatorStatus::GrpcCoordinatorStatus(Executor* executor, CoordinatorActor* actor,
                                             std::function<void(const std::string&)> on_leave)
    : executor_(executor), actor_(actor), on_leave_(std::move(on_leave)) {}

GrpcCoordinatorStatus::~GrpcCoordinatorStatus() = default;

void GrpcCoordinatorStatus::Close() {
  closing_ = true;
  for (const auto& stream : streams_) stream->End();
}

grpc::ServerUnaryReactor* GrpcCoordinatorStatus::GetStatus(grpc::CallbackServerContext* context,
                                                           const v1::GetStatusRequest*,
                                                           v1::Status* response) {
  return Answer(context, actor_, [this, response] { *response = MakeStatus(); });
}

grpc::ServerWriteReactor<v1::Status>* GrpcCoordinatorStatus::WatchStatus(
    grpc::CallbackServerContext*, const v1::WatchStatusRequest* request) {
  const auto stream = GrpcServerStream<v1::Status>::Open(executor_);
  const uint32_t interval =
      request->interval_ms() == 0 ? kDefaultIntervalMs : request->interval_ms();
  if (interval < 100 || interval > 60000) {
    stream->Close(grpc::Status(
        grpc::StatusCode::INVALID_ARGUMENT,
        absl::StrCat("interval_ms is ", interval, "; it must be between 100 and 60000")));
    return stream.get();
  }
  const bool posted = actor_->Post([this, stream, interval] {
    std::make_shared<StatusStream>(this, stream, absl::Milliseconds(interval))->Start();
  });
  if (!posted) stream->Close(Overloaded());
  return stream.get();
}

grpc::ServerUnaryReactor* GrpcCoordinatorStatus::ListPeers(grpc::CallbackServerContext* context,
                                                           const v1::ListPeersRequest*,
                                                           v1::ListPeersResponse* response) {
  return Answer(context, actor_, [this, response] {
    v1::Status status = actor_->Status();
    response->mutable_peers()->Swap(status.mutable_peers());
  });
}

grpc::ServerUnaryReactor* GrpcCoordinatorStatus::Leave(grpc::CallbackServerContext* context,
                                                       const v1::LeaveSwarmRequest* request,
                                                       v1::LeaveSwarmResponse*) {
  return Answer(context, actor_, [this, reason = request->reason()] { on_leave_(reason); });
}

grpc::ServerUnaryReactor* GrpcCoordinatorStatus::EvaluateAverage(
    grpc::CallbackServerContext* context, const v1::EvaluateAverageRequest*,
    v1::EvaluateAverageResponse*) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status(
      grpc::StatusCode::UNIMPLEMENTED,
      "a coordinator holds no parameters; ask a peer (ListPeers names their addresses)"));
  return reactor;
}

v1::Status GrpcCoordinatorStatus::MakeStatus() const {
  v1::Status status = actor_->Status();
  status.set_version(std::string(kVersion));
  status.set_address(address_);
  status.mutable_coordinator()->set_address(address_);
  return status;
}

}  // namespace starling
