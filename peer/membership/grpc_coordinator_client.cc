#include "peer/membership/grpc_coordinator_client.h"

#include <chrono>
#include <deque>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"
#include "peer/runtime/grpc_channel.h"
#include "peer/runtime/grpc_status.h"
#include "proto/coordinator.grpc.pb.h"

namespace starling {
namespace {

constexpr std::chrono::seconds kJoinTimeout(5);
constexpr std::chrono::seconds kHeartbeatTimeout(2);
constexpr std::chrono::seconds kLeaveTimeout(1);
// Rounds that wait for the executor; older ones are over before it would hear of them.
constexpr size_t kMaxWaitingRounds = 4;

template <typename Request, typename Response>
struct UnaryCall {
  grpc::ClientContext context;
  Request request;
  Response response;
  absl::AnyInvocable<void(absl::StatusOr<Response>)> done;
};

}  // namespace

// The stub and what is underway on it. Thread-safe.
class GrpcCoordinatorClient::Calls {
 public:
  explicit Calls(const std::string& address)
      : stub_(v1::CoordinatorService::NewStub(MakeControlChannel(address))) {}

  auto* stub() { return stub_->async(); }

  // Between Begin and End the context may be cancelled by CancelAll.
  void Begin(grpc::ClientContext* context) {
    absl::MutexLock lock(&mutex_);
    underway_.insert(context);
    if (cancelled_) context->TryCancel();
  }
  void End(grpc::ClientContext* context) {
    absl::MutexLock lock(&mutex_);
    underway_.erase(context);
  }
  void CancelAllAndWait() {
    absl::MutexLock lock(&mutex_);
    cancelled_ = true;
    for (grpc::ClientContext* context : underway_) context->TryCancel();
    mutex_.Await(absl::Condition(this, &Calls::Idle));
  }

 private:
  bool Idle() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return underway_.empty(); }

  const std::unique_ptr<v1::CoordinatorService::Stub> stub_;
  absl::Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<grpc::ClientContext*> underway_ ABSL_GUARDED_BY(mutex_);
};

namespace {

// Starts `method` and posts its outcome to `control`.
template <typename Request, typename Response, typename Calls, typename Start>
void StartUnary(const std::shared_ptr<Calls>& calls, Executor* control,
                std::chrono::seconds timeout, Request request,
                absl::AnyInvocable<void(absl::StatusOr<Response>)> done, Start start) {
  auto call = std::make_shared<UnaryCall<Request, Response>>();
  call->request = std::move(request);
  call->done = std::move(done);
  call->context.set_deadline(std::chrono::system_clock::now() + timeout);
  calls->Begin(&call->context);
  start(&call->context, &call->request, &call->response,
        [calls, control, call](grpc::Status status) {
          control->Post([call, status = FromGrpcStatus(status)] {
            if (status.ok()) {
              call->done(std::move(call->response));
            } else {
              call->done(status);
            }
          });
          calls->End(&call->context);
        });
}

}  // namespace

// One Watch. gRPC's thread reads as fast as it can and keeps the newest view and the last rounds;
// one task at a time carries them to the executor.
class GrpcCoordinatorClient::WatchCall final
    : public grpc::ClientReadReactor<v1::SwarmEvent>,
      public std::enable_shared_from_this<WatchCall> {
 public:
  WatchCall(std::shared_ptr<Calls> calls, Executor* control, v1::WatchRequest request,
            absl::AnyInvocable<void(v1::SwarmEvent)> event,
            absl::AnyInvocable<void(absl::Status)> closed)
      : calls_(std::move(calls)),
        control_(control),
        request_(std::move(request)),
        event_(std::move(event)),
        closed_(std::move(closed)) {}

  void Start() {
    self_ = shared_from_this();
    calls_->Begin(&context_);
    calls_->stub()->Watch(&context_, &request_, this);
    StartRead(&incoming_);
    StartCall();
  }

  // Executor. Nothing is delivered afterwards.
  void Replace() {
    replaced_ = true;
    context_.TryCancel();
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (Keep()) control_->Post([self = self_] { self->DeliverWaiting(); });
    StartRead(&incoming_);
  }

  void OnDone(const grpc::Status& status) override {
    control_->Post([self = self_, status = FromGrpcStatus(status)] {
      if (!self->replaced_) self->closed_(status);
    });
    calls_->End(&context_);
    self_.reset();
  }

  // True if nothing was waiting yet.
  bool Keep() {
    absl::MutexLock lock(&mutex_);
    const bool first = !view_.has_value() && rounds_.empty();
    if (incoming_.has_view()) {
      view_ = std::move(incoming_);
    } else {
      rounds_.push_back(std::move(incoming_));
      if (rounds_.size() > kMaxWaitingRounds) rounds_.pop_front();
    }
    return first;
  }

  void DeliverWaiting() {
    absl::optional<v1::SwarmEvent> view;
    std::deque<v1::SwarmEvent> rounds;
    {
      absl::MutexLock lock(&mutex_);
      view.swap(view_);
      rounds.swap(rounds_);
    }
    if (view.has_value() && !replaced_) event_(*std::move(view));
    for (v1::SwarmEvent& round : rounds) {
      if (!replaced_) event_(std::move(round));
    }
  }

  const std::shared_ptr<Calls> calls_;
  Executor* const control_;
  grpc::ClientContext context_;
  const v1::WatchRequest request_;
  v1::SwarmEvent incoming_;
  std::shared_ptr<WatchCall> self_;  // gRPC's share of the ownership
  // On the executor:
  absl::AnyInvocable<void(v1::SwarmEvent)> event_;
  absl::AnyInvocable<void(absl::Status)> closed_;
  bool replaced_ = false;

  absl::Mutex mutex_;
  absl::optional<v1::SwarmEvent> view_ ABSL_GUARDED_BY(mutex_);
  std::deque<v1::SwarmEvent> rounds_ ABSL_GUARDED_BY(mutex_);
};

GrpcCoordinatorClient::GrpcCoordinatorClient(Executor* control, const std::string& address)
    : address_(address), control_(control), calls_(std::make_shared<Calls>(address)) {}

GrpcCoordinatorClient::~GrpcCoordinatorClient() { calls_->CancelAllAndWait(); }

const std::string& GrpcCoordinatorClient::address() const { return address_; }

void GrpcCoordinatorClient::Join(
    v1::JoinRequest request, absl::AnyInvocable<void(absl::StatusOr<v1::JoinResponse>)> done) {
  StartUnary<v1::JoinRequest, v1::JoinResponse>(
      calls_, control_, kJoinTimeout, std::move(request), std::move(done),
      [this](auto... arguments) { calls_->stub()->Join(arguments...); });
}

void GrpcCoordinatorClient::Heartbeat(
    v1::HeartbeatRequest request,
    absl::AnyInvocable<void(absl::StatusOr<v1::HeartbeatResponse>)> done) {
  StartUnary<v1::HeartbeatRequest, v1::HeartbeatResponse>(
      calls_, control_, kHeartbeatTimeout, std::move(request), std::move(done),
      [this](auto... arguments) { calls_->stub()->Heartbeat(arguments...); });
}

void GrpcCoordinatorClient::Leave(v1::LeaveRequest request,
                                  absl::AnyInvocable<void(absl::Status)> done) {
  StartUnary<v1::LeaveRequest, v1::LeaveResponse>(
      calls_, control_, kLeaveTimeout, std::move(request),
      [done = std::move(done)](absl::StatusOr<v1::LeaveResponse> response) mutable {
        done(response.status());
      },
      [this](auto... arguments) { calls_->stub()->Leave(arguments...); });
}

void GrpcCoordinatorClient::Watch(v1::WatchRequest request,
                                  absl::AnyInvocable<void(v1::SwarmEvent)> event,
                                  absl::AnyInvocable<void(absl::Status)> closed) {
  if (watch_ != nullptr) watch_->Replace();
  watch_ = std::make_shared<WatchCall>(calls_, control_, std::move(request), std::move(event),
                                       std::move(closed));
  watch_->Start();
}

}  // namespace starling
