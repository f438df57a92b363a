// Carries the membership core to the network: pings, answers to pings, the coordinator's lease and
// its view, and hands an immutable picture of the swarm to the rest of the peer.
//
// Everything but the core's rules is here: the timer, the calls, what is told to whom. A change of
// membership is published at once, steps and round-trip times once per ping interval. Connections
// to members that died or left are forgotten, unless somebody else lives at their address.
//
// The swarm has started when min_peers answer, or the coordinator says so, or anybody trains.
//
// Executor: control. Transport and coordinator client outlive it.

#ifndef STARLING_PEER_MEMBERSHIP_MEMBERSHIP_ACTOR_H_
#define STARLING_PEER_MEMBERSHIP_MEMBERSHIP_ACTOR_H_

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "peer/membership/coordinator_client.h"
#include "peer/membership/coordinator_session.h"
#include "peer/membership/membership.h"
#include "peer/membership/membership_view.h"
#include "peer/runtime/actor.h"
#include "peer/runtime/holding.h"
#include "peer/runtime/ids.h"
#include "peer/runtime/random.h"
#include "peer/transport/transport.h"
#include "proto/status.pb.h"

namespace starling {

class MembershipActor final : public Actor {
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
    // The swarm does not want us. ALREADY_EXISTS: superseded by a higher incarnation;
    // FAILED_PRECONDITION: other run or model.
    std::function<void(absl::Status)> on_refused;
    std::function<void(const std::string&)> log;
    // How long our part of an averaging round takes, for the coordinator. Null: unknown.
    std::function<absl::Duration()> averaging_time;
  };
  MembershipActor(const MembershipOptions& options, Deps deps);

  void Start();
  // What is said of ourselves from now on.
  void SetLocal(uint64_t step, v1::PeerState state, double loss = 0);
  // A Ping, Sync or Goodbye. False if the request is of another kind; else `response` is complete but
  // for its run id.
  bool HandleControl(const v1::ControlRequest& request, v1::ControlResponse* response);
  // A PingRequest, answered when the ping has come to an end. `response` has a run id.
  void HandlePingRequest(const v1::ControlRequest& request, v1::ControlResponse response,
                         ControlResponder respond);
  // It sent bad data: nothing is exchanged with it for that long.
  void OnQuarantine(PeerId peer, absl::Duration duration, const std::string& reason);
  // The data path to that address broke: ping it now.
  void OnPathBroken(const std::string& address);
  // Tells the coordinator and all living members, waits a second at most, stops, calls `done` once.
  void Leave(std::string reason, absl::AnyInvocable<void()> done);

  // See Membership::InTouch.
  bool InTouch();

  // As on_view gets it at every change; steps and losses are newer here.
  MembershipView View() const;

  v1::CoordinatorStatus CoordinatorStatus() const;
  // Everybody, self included, ascending by id.
  std::vector<v1::PeerStatus> Peers() const;
  v1::DetectorStatus DetectorStatus() const;
  std::vector<v1::EffectiveValue> EffectiveValues() const;
  void AddHoldings(Holdings* holdings) const { core_.AddHoldings(holdings); }

 private:
  void Tick();
  // Carries out what the core wants, and publishes if anything changed.
  void Flush();
  void Ping(const PingAction& action);
  // `then` is told whether it was answered, or why not.
  using PingCallback = absl::AnyInvocable<void(const absl::StatusOr<v1::ControlResponse>&)>;
  void Ping(const PingAction& action, PingCallback then);
  void TellOfSilence(const std::string& seed, const absl::Status& why);
  void OnSwarmView(const v1::SwarmView& view);
  void LogTransition(const MemberTransition& transition);
  void ForgetIfGone(const MemberTransition& transition);
  void CheckRefusal();
  void CheckStarted();
  bool Settled() const;
  void Publish();
  void Refuse(absl::Status status);
  v1::ControlRequest NewRequest() const;
  void SayGoodbye(std::string address, std::shared_ptr<absl::AnyInvocable<void()>> answered);

  const MembershipOptions options_;
  Deps deps_;
  Membership core_;
  std::unique_ptr<CoordinatorSession> session_;
  // In a large swarm changes come in crowds, and a view for each would cost the square of their number.
  bool unpublished_ = false;
  size_t published_members_ = 0;  // in the last view
  absl::Time last_publication_ = absl::InfinitePast();
  absl::Time next_publication_ = absl::InfinitePast();
  std::set<std::string> silent_seeds_;  // those that were told of
  int relays_ = 0;  // pings on behalf of others that are under way
  bool swarm_started_ = false;  // as the coordinator says
  bool told_started_ = false;
  bool settled_ = false;
  bool refused_ = false;
  std::string leaving_;  // the reason, once we are
};

}  // namespace starling

#endif  // STARLING_PEER_MEMBERSHIP_MEMBERSHIP_ACTOR_H_
