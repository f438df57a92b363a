// StatusService as the coordinator serves it. Leave asks the daemon to shut down in good order;
// EvaluateAverage is the peers' business.
//
// The actor and its executor outlive the server's Shutdown; call Close first, on the executor, or
// Shutdown waits out its grace for the streams.

#ifndef STARLING_COORDINATOR_GRPC_COORDINATOR_STATUS_H_
#define STARLING_COORDINATOR_GRPC_COORDINATOR_STATUS_H_

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "coordinator/coordinator_actor.h"
#include "peer/runtime/executor.h"
#include "proto/status.grpc.pb.h"

namespace starling {

class GrpcCoordinatorStatus final : public v1::StatusService::CallbackService {
 public:
  // Streams at most; more are refused with RESOURCE_EXHAUSTED.
  static constexpr size_t kMaxStreams = 64;

  // `on_leave(reason)` runs on the executor.
  GrpcCoordinatorStatus(Executor* executor, CoordinatorActor* actor,
                        std::function<void(const std::string& reason)> on_leave);
  ~GrpcCoordinatorStatus() override;

  // Executor. As other daemons dial it; shown in the status.
  void SetAddress(const std::string& address) { address_ = address; }

  // Executor. Ends the streams and refuses new ones.
  void Close();

  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const v1::GetStatusRequest* request,
                                      v1::Status* response) override;
  // INVALID_ARGUMENT: interval_ms is neither 0 nor in 100 to 60000.
  grpc::ServerWriteReactor<v1::Status>* WatchStatus(grpc::CallbackServerContext* context,
                                                    const v1::WatchStatusRequest* request) override;
  grpc::ServerUnaryReactor* ListPeers(grpc::CallbackServerContext* context,
                                      const v1::ListPeersRequest* request,
                                      v1::ListPeersResponse* response) override;
  grpc::ServerUnaryReactor* Leave(grpc::CallbackServerContext* context,
                                  const v1::LeaveSwarmRequest* request,
                                  v1::LeaveSwarmResponse* response) override;
  grpc::ServerUnaryReactor* EvaluateAverage(grpc::CallbackServerContext* context,
                                            const v1::EvaluateAverageRequest* request,
                                            v1::EvaluateAverageResponse* response) override;

 private:
  class StatusStream;

  v1::Status MakeStatus() const;

  Executor* const executor_;
  CoordinatorActor* const actor_;
  const std::function<void(const std::string&)> on_leave_;
  std::string address_;
  // On the executor:
  std::set<std::shared_ptr<StatusStream>> streams_;
  bool closing_ = false;
};

}  // namespace starling

#endif  // STARLING_COORDINATOR_GRPC_COORDINATOR_STATUS_H_
