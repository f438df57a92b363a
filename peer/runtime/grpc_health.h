// The standard health service, grpc.health.v1, for load balancers, service managers and people.
//
// gRPC brings one, but server reflection cannot describe it, so grpcurl and its like cannot call
// it; this is an ordinary service with the same behaviour. Thread-safe.

#ifndef STARLING_PEER_RUNTIME_GRPC_HEALTH_H_
#define STARLING_PEER_RUNTIME_GRPC_HEALTH_H_

#include <map>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace starling {

class GrpcHealth final : public grpc::health::v1::Health::CallbackService {
 public:
  // "" (the process) serves from the start; other names are unknown until they are set.
  GrpcHealth();
  ~GrpcHealth() override;

  void SetServing(const std::string& service, bool serving);

  // Every name stops serving, watchers are told and their calls end. For the end of the server.
  void Shutdown();

  // NOT_FOUND for a name that is not known.
  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const grpc::health::v1::HealthCheckRequest* request,
                                  grpc::health::v1::HealthCheckResponse* response) override;

  // The state at once and at each change; SERVICE_UNKNOWN for a name that is not known (yet).
  grpc::ServerWriteReactor<grpc::health::v1::HealthCheckResponse>* Watch(
      grpc::CallbackServerContext* context,
      const grpc::health::v1::HealthCheckRequest* request) override;

 private:
  class Watcher;
  using State = grpc::health::v1::HealthCheckResponse::ServingStatus;

  State StateOf(const std::string& service) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  bool shut_down_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<std::string, State> states_ ABSL_GUARDED_BY(mutex_);
  std::set<Watcher*> watchers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_GRPC_HEALTH_H_
