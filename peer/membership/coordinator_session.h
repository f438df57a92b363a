// One peer's dealings with the coordinator: join, keep the lease, watch, find back, leave.
//
//   away ──Join──► connected ──heartbeat every heartbeat_seconds──► connected
//     ▲  backoff       │ lease counted down here ran out, or NOT_FOUND
//     └────────────────┘
//
// The lease is counted from when the request that took or renewed it was sent, so it never lasts
// longer here than there. Whatever the coordinator does or does not do, nothing here stops training;
// only ALREADY_EXISTS (another process took our id), and FAILED_PRECONDITION before the first
// admission, are reported as refusals. Events of an epoch lower than one already seen come from a
// coordinator that was replaced, and are ignored.
//
// Executor: control.

#ifndef STARLING_PEER_MEMBERSHIP_COORDINATOR_SESSION_H_
#define STARLING_PEER_MEMBERSHIP_COORDINATOR_SESSION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "peer/membership/coordinator_client.h"
#include "peer/runtime/actor.h"
#include "peer/runtime/ids.h"
#include "peer/runtime/random.h"
#include "proto/coordinator.pb.h"
#include "proto/status.pb.h"

namespace starling {

class CoordinatorSession final : public Actor {
 public:
  struct Deps {
    Executor* control = nullptr;
    CoordinatorClient* client = nullptr;
    v1::Member self;
    RunId run;
    Random random{0};
    std::function<void(const v1::SwarmView&)> on_view;
    // Rounds that name us, in order, while we hold the lease.
    std::function<void(const v1::RoundPlan&)> on_round;
    std::function<void(absl::Status)> on_refused;
    // Members that do not answer us, which the coordinator asks us to say before it evicts anybody.
    // Null: we do not know.
    std::function<std::vector<PeerId>()> missing;
    // How long our part of an averaging round takes at least. Null: unknown.
    std::function<absl::Duration()> averaging_time;
    std::function<void(const std::string&)> log;
  };
  explicit CoordinatorSession(Deps deps);

  void Start();
  // What heartbeats say; a new state is told at once.
  void SetLocal(uint64_t step, v1::PeerState state);
  // Gives the lease back, if we hold one, and stops. `done` comes once, also without an answer.
  void Leave(const std::string& reason, absl::AnyInvocable<void()> done);

  // True once the coordinator has admitted us.
  bool admitted() const { return admitted_; }
  v1::CoordinatorStatus Status() const;

 private:
  void Join();
  void OnJoined(absl::Time sent, absl::StatusOr<v1::JoinResponse> response);
  void OnJoinFailed(const absl::Status& status);
  void Heartbeat();
  void OnHeartbeat(absl::Time sent, absl::StatusOr<v1::HeartbeatResponse> response);
  void Watch();
  void OnWatchClosed(const absl::Status& status);
  void OnEvent(const v1::SwarmEvent& event);
  void OnRound(const v1::RoundPlan& plan);
  void NoteView(const v1::SwarmView& view);
  // False, and logged once, if `epoch` is lower than one seen before.
  bool Accepts(uint64_t epoch);
  void ScheduleJoin();
  bool holds_lease() const { return connected_ && Now() < lease_ends_; }

  Deps deps_;
  bool admitted_ = false;
  bool connected_ = false;
  bool leaving_ = false;
  bool complained_ = false;        // about the present absence
  bool complained_epoch_ = false;  // about a lower epoch
  bool heartbeat_open_ = false;
  absl::Duration backoff_;
  absl::Duration lease_;
  absl::Duration heartbeat_;
  absl::Time lease_ends_ = absl::InfinitePast();
  uint64_t epoch_ = 0;
  std::pair<uint64_t, uint64_t> last_round_{0, 0};
  uint64_t rounds_heard_ = 0;
  TimerId heartbeat_timer_ = 0;
  TimerId watch_timer_ = 0;
  // Answers to a watch or a join of an earlier connection are void.
  uint64_t connection_ = 0;
  // Dies with us, for events that the client may still hold.
  const std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace starling

#endif  // STARLING_PEER_MEMBERSHIP_COORDINATOR_SESSION_H_
