// The seam to the optional coordinator, seen from a peer. Implementations: GrpcCoordinatorClient,
// and the simulator's, which calls the same CoordinatorCore through the event heap.
//
// Called, and calling back, on the control executor. Every callback comes exactly once, with the
// coordinator's answer or UNAVAILABLE / DEADLINE_EXCEEDED when it cannot be had; see
// proto/coordinator.proto for the codes of each call.

#ifndef STARLING_PEER_MEMBERSHIP_COORDINATOR_CLIENT_H_
#define STARLING_PEER_MEMBERSHIP_COORDINATOR_CLIENT_H_

#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/coordinator.pb.h"

namespace starling {

class CoordinatorClient {
 public:
  virtual ~CoordinatorClient() = default;

  virtual const std::string& address() const = 0;

  virtual void Join(v1::JoinRequest request,
                    absl::AnyInvocable<void(absl::StatusOr<v1::JoinResponse>)> done) = 0;
  virtual void Heartbeat(v1::HeartbeatRequest request,
                         absl::AnyInvocable<void(absl::StatusOr<v1::HeartbeatResponse>)> done) = 0;
  virtual void Leave(v1::LeaveRequest request, absl::AnyInvocable<void(absl::Status)> done) = 0;

  // Streams events until the stream ends, then calls `closed` once. A new Watch replaces the old
  // one, whose `closed` is then not called.
  virtual void Watch(v1::WatchRequest request, absl::AnyInvocable<void(v1::SwarmEvent)> event,
                     absl::AnyInvocable<void(absl::Status)> closed) = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_MEMBERSHIP_COORDINATOR_CLIENT_H_
