// CoordinatorClient over gRPC.
//
// Calls have deadlines, so every callback comes. gRPC's threads only post to the control executor.
// The destructor cancels what is underway and waits until gRPC has let go; callbacks posted by then
// still run, with CANCELLED.

#ifndef STARLING_PEER_MEMBERSHIP_GRPC_COORDINATOR_CLIENT_H_
#define STARLING_PEER_MEMBERSHIP_GRPC_COORDINATOR_CLIENT_H_

#include <memory>
#include <string>

#include "peer/membership/coordinator_client.h"
#include "peer/runtime/executor.h"

namespace starling {

class GrpcCoordinatorClient final : public CoordinatorClient {
 public:
  // `address` is host:port. `control` must outlive the client.
  GrpcCoordinatorClient(Executor* control, const std::string& address);
  ~GrpcCoordinatorClient() override;

  const std::string& address() const override;
  void Join(v1::JoinRequest request,
            absl::AnyInvocable<void(absl::StatusOr<v1::JoinResponse>)> done) override;
  void Heartbeat(v1::HeartbeatRequest request,
                 absl::AnyInvocable<void(absl::StatusOr<v1::HeartbeatResponse>)> done) override;
  void Leave(v1::LeaveRequest request, absl::AnyInvocable<void(absl::Status)> done) override;
  // A reader that is slow to run on the executor misses views, never the newest one.
  void Watch(v1::WatchRequest request, absl::AnyInvocable<void(v1::SwarmEvent)> event,
             absl::AnyInvocable<void(absl::Status)> closed) override;

 private:
  class Calls;
  class WatchCall;

  const std::string address_;
  Executor* const control_;
  const std::shared_ptr<Calls> calls_;
  std::shared_ptr<WatchCall> watch_;
};

}  // namespace starling

#endif  // STARLING_PEER_MEMBERSHIP_GRPC_COORDINATOR_CLIENT_H_
