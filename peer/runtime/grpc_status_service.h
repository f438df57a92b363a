// The StatusService of both daemons: what any gRPC client can ask.
//
// gRPC's threads decide nothing here: each call is posted to the control executor and answered from
// there. At most kMaxWatchers clients watch at a time; further ones get RESOURCE_EXHAUSTED.

#ifndef STARLING_PEER_RUNTIME_GRPC_STATUS_SERVICE_H_
#define STARLING_PEER_RUNTIME_GRPC_STATUS_SERVICE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "peer/runtime/executor.h"
#include "proto/status.grpc.pb.h"

namespace starling {

// What the service asks of the daemon, on the control executor.
struct StatusSource {
  std::function<v1::Status()> status;
  std::function<void(absl::AnyInvocable<void(absl::StatusOr<v1::EvaluateAverageResponse>)>)>
      evaluate_average;
  // Someone asked the daemon to leave; it answers first and leaves then.
  std::function<void(std::string reason)> leave;
  // Null: a daemon that moves no payloads.
  std::function<absl::StatusOr<v1::LinkLimits>(const v1::LinkLimits&)> set_limits;
};

class GrpcStatusService : public v1::StatusService::CallbackService {
 public:
  static constexpr int kMaxWatchers = 64;

  explicit GrpcStatusService(Executor* control);
  ~GrpcStatusService() override;

  // Calls before this are answered UNAVAILABLE ("starting"). Pass an empty source to take it back.
  // Control executor.
  void SetSource(StatusSource source);

  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const v1::GetStatusRequest* request,
                                      v1::Status* response) override;
  grpc::ServerWriteReactor<v1::Status>* WatchStatus(
      grpc::CallbackServerContext* context, const v1::WatchStatusRequest* request) override;
  grpc::ServerUnaryReactor* ListPeers(grpc::CallbackServerContext* context,
                                      const v1::ListPeersRequest* request,
                                      v1::ListPeersResponse* response) override;
  grpc::ServerUnaryReactor* Leave(grpc::CallbackServerContext* context,
                                  const v1::LeaveSwarmRequest* request,
                                  v1::LeaveSwarmResponse* response) override;
  grpc::ServerUnaryReactor* EvaluateAverage(grpc::CallbackServerContext* context,
                                            const v1::EvaluateAverageRequest* request,
                                            v1::EvaluateAverageResponse* response) override;
  grpc::ServerUnaryReactor* SetLimits(grpc::CallbackServerContext* context,
                                      const v1::SetLimitsRequest* request,
                                      v1::SetLimitsResponse* response) override;

 private:
  class Watcher;
  struct State;  // on the control executor only
  Executor* const control_;
  const std::shared_ptr<State> state_;
};

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_GRPC_STATUS_SERVICE_H_
