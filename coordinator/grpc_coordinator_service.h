// CoordinatorService over gRPC: parses, posts to the CoordinatorActor, answers.
//
// The actor and its executor outlive the server's Shutdown; call CloseWatchers on the actor first,
// or Shutdown waits out its grace for the watches.

#ifndef STARLING_COORDINATOR_GRPC_COORDINATOR_SERVICE_H_
#define STARLING_COORDINATOR_GRPC_COORDINATOR_SERVICE_H_

#include "coordinator/coordinator_actor.h"
#include "peer/runtime/executor.h"
#include "proto/coordinator.grpc.pb.h"

namespace starling {

class GrpcCoordinatorService final : public v1::CoordinatorService::CallbackService {
 public:
  GrpcCoordinatorService(Executor* executor, CoordinatorActor* actor)
      : executor_(executor), actor_(actor) {}

  grpc::ServerUnaryReactor* Join(grpc::CallbackServerContext* context,
                                 const v1::JoinRequest* request,
                                 v1::JoinResponse* response) override;
  grpc::ServerUnaryReactor* Heartbeat(grpc::CallbackServerContext* context,
                                      const v1::HeartbeatRequest* request,
                                      v1::HeartbeatResponse* response) override;
  grpc::ServerUnaryReactor* Leave(grpc::CallbackServerContext* context,
                                  const v1::LeaveRequest* request,
                                  v1::LeaveResponse* response) override;
  // A watcher that reads slowly skips views, never the newest one, and keeps the newest few rounds.
  grpc::ServerWriteReactor<v1::SwarmEvent>* Watch(grpc::CallbackServerContext* context,
                                                  const v1::WatchRequest* request) override;

 private:
  Executor* const executor_;
  CoordinatorActor* const actor_;
};

}  // namespace starling

#endif  // STARLING_COORDINATOR_GRPC_COORDINATOR_SERVICE_H_
