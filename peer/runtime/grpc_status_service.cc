#include "peer/runtime/grpc_status_service.h"

#include <algorithm>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "peer/runtime/grpc_status.h"

namespace starling {
namespace {

constexpr uint32_t kMinIntervalMs = 100;
constexpr uint32_t kMaxIntervalMs = 60000;
constexpr uint32_t kDefaultIntervalMs = 1000;

absl::Status Starting() {
  return absl::UnavailableError("the daemon is starting; ask again in a moment");
}

}  // namespace

struct GrpcStatusService::State {
  // There must be a source.
  v1::Status Report() const {
    v1::Status status = source.status();
    status.set_unix_ms(absl::ToUnixMillis(absl::Now()));
    return status;
  }

  StatusSource source;
  int watchers = 0;
};

// Writes a status, waits, writes the next. `mutex_` orders gRPC's callbacks and the control
// executor; the last of (Finish, timer, OnDone) to let go deletes nothing but a reference.
class GrpcStatusService::Watcher : public grpc::ServerWriteReactor<v1::Status> {
 public:
  Watcher(Executor* control, std::shared_ptr<State> state, absl::Duration interval)
      : control_(control), state_(std::move(state)), interval_(interval), self_(this) {}

  void Begin() {
    control_->Post([self = self_] {
      if (++self->state_->watchers > kMaxWatchers) {
        self->End(absl::ResourceExhaustedError(
            absl::StrCat(kMaxWatchers, " clients already watch this daemon")));
        return;
      }
      self->Tick();
    });
  }

  void OnWriteDone(bool ok) override {
    if (!ok) {
      End(absl::CancelledError());
      return;
    }
    control_->Post([self = self_] {
      self->control_->ScheduleAt(self->control_->Now() + self->interval_, [self] { self->Tick(); });
    });
  }

  void OnCancel() override { End(absl::CancelledError()); }

  void OnDone() override {
    control_->Post([self = self_] { --self->state_->watchers; });
    self_.reset();
  }

 private:
  void Tick() {
    if (!state_->source.status) {
      End(Starting());
      return;
    }
    v1::Status status = state_->Report();
    absl::MutexLock lock(&mutex_);
    if (ended_) return;
    status_ = std::move(status);
    StartWrite(&status_);
  }

  void End(const absl::Status& status) {
    {
      absl::MutexLock lock(&mutex_);
      if (ended_) return;
      ended_ = true;
    }
    Finish(ToGrpcStatus(status));
  }

  Executor* const control_;
  const std::shared_ptr<State> state_;
  const absl::Duration interval_;
  absl::Mutex mutex_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  v1::Status status_;  // being written
  std::shared_ptr<Watcher> self_;  // until OnDone
};

GrpcStatusService::GrpcStatusService(Executor* control)
    : control_(control), state_(std::make_shared<State>()) {}

GrpcStatusService::~GrpcStatusService() = default;

void GrpcStatusService::SetSource(StatusSource source) { state_->source = std::move(source); }

grpc::ServerUnaryReactor* GrpcStatusService::GetStatus(grpc::CallbackServerContext* context,
                                                       const v1::GetStatusRequest*,
                                                       v1::Status* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  control_->Post([state = state_, reactor, response] {
    if (!state->source.status) {
      reactor->Finish(ToGrpcStatus(Starting()));
      return;
    }
    *response = state->Report();
    reactor->Finish(grpc::Status::OK);
  });
  return reactor;
}

grpc::ServerWriteReactor<v1::Status>* GrpcStatusService::WatchStatus(
    grpc::CallbackServerContext*, const v1::WatchStatusRequest* request) {
  const uint32_t asked =
      request->interval_ms() == 0 ? kDefaultIntervalMs : request->interval_ms();
  auto* watcher =
      new Watcher(control_, state_,
                  absl::Milliseconds(std::clamp(asked, kMinIntervalMs, kMaxIntervalMs)));
  watcher->Begin();
  return watcher;
}

grpc::ServerUnaryReactor* GrpcStatusService::ListPeers(grpc::CallbackServerContext* context,
                                                       const v1::ListPeersRequest*,
                                                       v1::ListPeersResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  control_->Post([state = state_, reactor, response] {
    if (!state->source.status) {
      reactor->Finish(ToGrpcStatus(Starting()));
      return;
    }
    v1::Status status = state->source.status();
    response->mutable_peers()->Swap(status.mutable_peers());
    reactor->Finish(grpc::Status::OK);
  });
  return reactor;
}

grpc::ServerUnaryReactor* GrpcStatusService::Leave(grpc::CallbackServerContext* context,
                                                   const v1::LeaveSwarmRequest* request,
                                                   v1::LeaveSwarmResponse*) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  std::string reason = request->reason().substr(0, 200);
  if (reason.empty()) reason = "asked to leave";
  control_->Post([state = state_, reactor, reason = std::move(reason)] {
    if (!state->source.leave) {
      reactor->Finish(ToGrpcStatus(Starting()));
      return;
    }
    reactor->Finish(grpc::Status::OK);
    state->source.leave(reason);
  });
  return reactor;
}

grpc::ServerUnaryReactor* GrpcStatusService::EvaluateAverage(
    grpc::CallbackServerContext* context, const v1::EvaluateAverageRequest*,
    v1::EvaluateAverageResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  control_->Post([state = state_, reactor, response] {
    if (!state->source.evaluate_average) {
      reactor->Finish(ToGrpcStatus(Starting()));
      return;
    }
    state->source.evaluate_average(
        [reactor, response](absl::StatusOr<v1::EvaluateAverageResponse> result) {
          if (result.ok()) *response = *std::move(result);
          reactor->Finish(ToGrpcStatus(result.status()));
        });
  });
  return reactor;
}

grpc::ServerUnaryReactor* GrpcStatusService::SetLimits(grpc::CallbackServerContext* context,
                                                       const v1::SetLimitsRequest* request,
                                                       v1::SetLimitsResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  control_->Post([state = state_, reactor, request, response] {
    if (!state->source.status) {
      reactor->Finish(ToGrpcStatus(Starting()));
      return;
    }
    if (!state->source.set_limits) {
      reactor->Finish(ToGrpcStatus(absl::UnimplementedError(
          "a coordinator moves no parameters, so there is nothing to limit; ask a peer")));
      return;
    }
    const absl::StatusOr<v1::LinkLimits> limits = state->source.set_limits(request->limits());
    if (limits.ok()) *response->mutable_limits() = *limits;
    reactor->Finish(ToGrpcStatus(limits.status()));
  });
  return reactor;
}

}  // namespace starling
