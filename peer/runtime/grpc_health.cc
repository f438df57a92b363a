#include "peer/runtime/grpc_health.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/runtime/check.h"

namespace starling {

using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;

// One Watch call. Writes the newest state whenever it differs from the last one written, so a slow
// watcher misses intermediate states and never the final one. Guarded by the service's mutex.
class GrpcHealth::Watcher final : public grpc::ServerWriteReactor<HealthCheckResponse> {
 public:
  Watcher(GrpcHealth* health, std::string service)
      : health_(health), service_(std::move(service)) {
    absl::MutexLock lock(&health_->mutex_);
    health_->watchers_.insert(this);
    Update();
  }

  void Update() ABSL_EXCLUSIVE_LOCKS_REQUIRED(health_->mutex_) {
    if (writing_ || finished_) return;
    const State state = health_->StateOf(service_);
    if (!written_ || response_.status() != state) {
      written_ = true;
      writing_ = true;
      response_.set_status(state);
      StartWrite(&response_);
    } else if (health_->shut_down_) {
      End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "shutting down"));
    }
  }

  void OnWriteDone(bool ok) override {
    absl::MutexLock lock(&health_->mutex_);
    writing_ = false;
    if (ok) {
      Update();
    } else {
      End(grpc::Status::CANCELLED);
    }
  }

  void OnCancel() override {
    absl::MutexLock lock(&health_->mutex_);
    End(grpc::Status::CANCELLED);
  }

  void OnDone() override {
    {
      absl::MutexLock lock(&health_->mutex_);
      health_->watchers_.erase(this);
    }
    delete this;
  }

 private:
  void End(grpc::Status status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(health_->mutex_) {
    if (!std::exchange(finished_, true)) Finish(std::move(status));
  }

  GrpcHealth* const health_;
  const std::string service_;
  HealthCheckResponse response_;
  bool written_ = false;
  bool writing_ = false;
  bool finished_ = false;
};

GrpcHealth::GrpcHealth() { states_[""] = HealthCheckResponse::SERVING; }

GrpcHealth::~GrpcHealth() {
  absl::MutexLock lock(&mutex_);
  STARLING_CHECK(watchers_.empty());
}

GrpcHealth::State GrpcHealth::StateOf(const std::string& service) const {
  auto found = states_.find(service);
  if (found == states_.end()) return HealthCheckResponse::SERVICE_UNKNOWN;
  return shut_down_ ? HealthCheckResponse::NOT_SERVING : found->second;
}

void GrpcHealth::SetServing(const std::string& service, bool serving) {
  absl::MutexLock lock(&mutex_);
  states_[service] = serving ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
  for (Watcher* watcher : watchers_) watcher->Update();
}

void GrpcHealth::Shutdown() {
  absl::MutexLock lock(&mutex_);
  shut_down_ = true;
  for (Watcher* watcher : watchers_) watcher->Update();
}

grpc::ServerUnaryReactor* GrpcHealth::Check(grpc::CallbackServerContext* context,
                                            const HealthCheckRequest* request,
                                            HealthCheckResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  absl::MutexLock lock(&mutex_);
  const State state = StateOf(request->service());
  if (state == HealthCheckResponse::SERVICE_UNKNOWN) {
    reactor->Finish(grpc::Status(grpc::StatusCode::NOT_FOUND,
                                 absl::StrCat("no service \"", request->service(), "\" here")));
  } else {
    response->set_status(state);
    reactor->Finish(grpc::Status::OK);
  }
  return reactor;
}

grpc::ServerWriteReactor<HealthCheckResponse>* GrpcHealth::Watch(
    grpc::CallbackServerContext*, const HealthCheckRequest* request) {
  return new Watcher(this, request->service());
}

}  // namespace starling
