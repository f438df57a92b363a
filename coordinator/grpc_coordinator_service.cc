#include "coordinator/grpc_coordinator_service.h"

#include <deque>
#include <memory>
#include <utility>

#include "absl/types/optional.h"
#include "peer/runtime/grpc_server_stream.h"
#include "peer/runtime/grpc_status.h"

namespace starling {
namespace {

// Rounds that wait for a slow watcher; older ones are over before it would hear of them.
constexpr size_t kMaxWaitingRounds = 4;

grpc::Status Overloaded() {
  return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                      "the coordinator has too many requests waiting; try again");
}

// Runs `work` on the actor and finishes the call with its status.
template <typename Work>
grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, CoordinatorActor* actor,
                                 Work work) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const bool posted = actor->Post(
      [reactor, work = std::move(work)]() mutable { reactor->Finish(ToGrpcStatus(work())); });
  if (!posted) reactor->Finish(Overloaded());
  return reactor;
}

// One Watch call: what its client has not been sent yet. Lives on the executor.
class Watch final : public SwarmWatcher, public std::enable_shared_from_this<Watch> {
 public:
  using Stream = GrpcServerStream<v1::SwarmEvent>;

  Watch(std::shared_ptr<Stream> stream, CoordinatorActor* actor)
      : stream_(std::move(stream)), actor_(actor) {}

  void Start() {
    const absl::Status added = actor_->AddWatcher(shared_from_this());
    if (!added.ok()) return stream_->Close(ToGrpcStatus(added));
    // Last, for the client may be gone already.
    stream_->SetCallbacks([self = shared_from_this()] { self->SendNext(); },
                          [self = shared_from_this()] { self->actor_->RemoveWatcher(self.get()); });
  }

  void OnEvent(const v1::SwarmEvent& event) override {
    if (event.has_view()) {
      view_ = event;
    } else {
      rounds_.push_back(event);
      if (rounds_.size() > kMaxWaitingRounds) rounds_.pop_front();
    }
    SendNext();
  }

  void OnEnd() override {
    stream_->Close(
        grpc::Status(grpc::StatusCode::UNAVAILABLE, "the coordinator is shutting down"));
  }

 private:
  void SendNext() {
    if (!stream_->CanWrite()) return;
    if (view_.has_value()) {
      stream_->Write(*std::exchange(view_, absl::nullopt));
    } else if (!rounds_.empty()) {
      v1::SwarmEvent round = std::move(rounds_.front());
      rounds_.pop_front();
      stream_->Write(std::move(round));
    }
  }

  const std::shared_ptr<Stream> stream_;
  CoordinatorActor* const actor_;
  absl::optional<v1::SwarmEvent> view_;
  std::deque<v1::SwarmEvent> rounds_;
};

}  // namespace

grpc::ServerUnaryReactor* GrpcCoordinatorService::Join(grpc::CallbackServerContext* context,
                                                       const v1::JoinRequest* request,
                                                       v1::JoinResponse* response) {
  return Answer(context, actor_, [this, request, response] {
    absl::StatusOr<v1::JoinResponse> joined = actor_->Join(*request);
    if (joined.ok()) *response = *std::move(joined);
    return joined.status();
  });
}

grpc::ServerUnaryReactor* GrpcCoordinatorService::Heartbeat(grpc::CallbackServerContext* context,
                                                            const v1::HeartbeatRequest* request,
                                                            v1::HeartbeatResponse* response) {
  return Answer(context, actor_, [this, request, response] {
    absl::StatusOr<v1::HeartbeatResponse> renewed = actor_->Heartbeat(*request);
    if (renewed.ok()) *response = *std::move(renewed);
    return renewed.status();
  });
}

grpc::ServerUnaryReactor* GrpcCoordinatorService::Leave(grpc::CallbackServerContext* context,
                                                        const v1::LeaveRequest* request,
                                                        v1::LeaveResponse*) {
  return Answer(context, actor_, [this, request] {
    actor_->Leave(*request);
    return absl::OkStatus();
  });
}

grpc::ServerWriteReactor<v1::SwarmEvent>* GrpcCoordinatorService::Watch(
    grpc::CallbackServerContext*, const v1::WatchRequest*) {
  const auto stream = GrpcServerStream<v1::SwarmEvent>::Open(executor_);
  const bool posted = actor_->Post(
      [stream, actor = actor_] { std::make_shared<starling::Watch>(stream, actor)->Start(); });
  if (!posted) stream->Close(Overloaded());
  return stream.get();
}

}  // namespace starling
