// Carries the membership core to the network: pings, answers to pings, the coordinator's lease and
// its view, and hands an immutable picture of the swarm to the rest of the peer.
//
// CONTRACT BY THE LEAD (peer/peer.cc is written against it); the implementer fills in private parts.
//
// Executor: control.

#ifndef STARLING_PEER_MEMBERSHIP_MEMBERSHIP_ACTOR_H_
#define STARLING_PEER_MEMBERSHIP_MEMBERSHIP_ACTOR_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "peer/membership/coordinator_client.h"
#include "peer/membership/membership.h"
#include "peer/membership/membership_view.h"
#include "peer/runtime/actor.h"
#include "peer/runtime/ids.h"
#include "peer/runtime/random.h"
#include "peer/transport/transport.h"
#include "proto/status.pb.h"

namespace starling {

class MembershipActor : public Actor {
 public:
  struct Deps {
    Executor* control = nullptr;
    Transport* transport = nullptr;
    CoordinatorClient* coordinator = nullptr;  // null: none configured
    v1::Member self;                           // id, incarnation, address, slot; state JOINING
    RunId run;
    uint32_t min_peers = 1;
    std::vector<std::string> seeds;  // addresses of peers to ask
    Random random{0};
    // All called on the control executor.
    std::function<void(std::shared_ptr<const MembershipView>)> on_view;  // at every change
    std::function<void(const v1::RoundPlan&)> on_round;
    std::function<void()> on_started;  // once: min_peers are (or were) present
    std::function<void(absl::Status)> on_refused;  // the swarm does not want us: superseded by a
                                                   // higher incarnation, or other run or model
    std::function<void(const std::string&)> log;
  };
  MembershipActor(const MembershipOptions& options, Deps deps);

  void Start();
  // What is said of ourselves from now on.
  void SetLocal(uint64_t step, v1::PeerState state);
  // A Ping or Goodbye. False if the request is of another kind; else `response` is complete but for
  // its sender and run id.
  bool HandleControl(const v1::ControlRequest& request, v1::ControlResponse* response);
  // The data path to that address broke: ping it now.
  void OnPathBroken(const std::string& address);
  // Tells the coordinator and all living members, waits a second at most, stops, calls `done`.
  void Leave(std::string reason, absl::AnyInvocable<void()> done);

  v1::CoordinatorStatus CoordinatorStatus() const;
  // Everybody, self included, ascending by id.
  std::vector<v1::PeerStatus> Peers() const;
};

}  // namespace starling

#endif  // STARLING_PEER_MEMBERSHIP_MEMBERSHIP_ACTOR_H_
