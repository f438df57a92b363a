#include "peer/membership/coordinator_session.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "peer/runtime/failpoint.h"
#include "peer/runtime/one_line.h"

namespace starling {
namespace {

constexpr size_t kMailboxCapacity = 256;
constexpr absl::Duration kFirstBackoff = absl::Milliseconds(200);
constexpr absl::Duration kLastBackoff = absl::Seconds(5);

// A duration from the network within limits; a NaN becomes `low`.
absl::Duration Limited(double seconds, absl::Duration low, absl::Duration high) {
  if (!(seconds > absl::ToDoubleSeconds(low))) return low;
  if (seconds > absl::ToDoubleSeconds(high)) return high;
  return absl::Seconds(seconds);
}

}  // namespace

CoordinatorSession::CoordinatorSession(Deps deps)
    : Actor(deps.control, kMailboxCapacity), deps_(std::move(deps)), backoff_(kFirstBackoff) {}

void CoordinatorSession::Start() {
  AssertHere();
  Join();
}

void CoordinatorSession::SetLocal(uint64_t step, v1::PeerState state) {
  AssertHere();
  const bool news = state != deps_.self.state();
  deps_.self.set_step(step);
  deps_.self.set_state(state);
  if (news && connected_ && !leaving_) Heartbeat();
}

void CoordinatorSession::Leave(const std::string& reason, absl::AnyInvocable<void()> done) {
  AssertHere();
  leaving_ = true;
  ++connection_;
  CancelTimer(heartbeat_timer_);
  CancelTimer(watch_timer_);
  if (!holds_lease()) {
    PostOwn(std::move(done));
    return;
  }
  connected_ = false;
  v1::LeaveRequest request;
  request.set_peer_id(deps_.self.peer_id());
  request.set_incarnation(deps_.self.incarnation());
  request.set_reason(reason);
  deps_.client->Leave(std::move(request),
                      Deliver<absl::Status>([done = std::move(done)](absl::Status) mutable {
                        done();
                      }));
}

v1::CoordinatorStatus CoordinatorSession::Status() const {
  AssertHere();
  v1::CoordinatorStatus status;
  status.set_address(deps_.client->address());
  status.set_configured(true);
  status.set_connected(holds_lease());
  status.set_epoch(epoch_);
  if (holds_lease()) {
    status.set_lease_seconds_left(absl::ToDoubleSeconds(lease_ends_ - Now()));
  }
  status.set_rounds_planned(rounds_heard_);
  return status;
}

void CoordinatorSession::Join() {
  if (leaving_) return;
  v1::JoinRequest request;
  *request.mutable_member() = deps_.self;
  request.set_run_id(deps_.run.value());
  deps_.client->Join(std::move(request),
                     Deliver<absl::StatusOr<v1::JoinResponse>>(
                         [this, sent = Now(), connection = ++connection_](
                             absl::StatusOr<v1::JoinResponse> response) {
                           if (connection == connection_) OnJoined(sent, std::move(response));
                         }));
  Failpoint("registration.join_sent");
}

void CoordinatorSession::OnJoined(absl::Time sent, absl::StatusOr<v1::JoinResponse> response) {
  if (!response.ok()) {
    OnJoinFailed(response.status());
    return;
  }
  Failpoint("registration.joined");
  lease_ = Limited(response->lease_seconds(), absl::Milliseconds(200), absl::Hours(1));
  heartbeat_ = Limited(response->heartbeat_seconds(), absl::Milliseconds(50), lease_ / 2);
  lease_ends_ = sent + lease_;
  deps_.log(absl::StrCat(admitted_ ? "back with" : "joined", " the coordinator at ",
                         deps_.client->address()));
  if (response->slot() != deps_.self.slot()) {
    deps_.log(absl::StrCat("the coordinator gave us slot ", response->slot(),
                           ", we go on with the data of slot ", deps_.self.slot()));
  }
  connected_ = true;
  admitted_ = true;
  complained_ = false;
  backoff_ = kFirstBackoff;
  heartbeat_open_ = false;
  CancelTimer(heartbeat_timer_);
  heartbeat_timer_ = ScheduleAfter(heartbeat_, [this] { Heartbeat(); });
  NoteView(response->view());
  Watch();
}

void CoordinatorSession::OnJoinFailed(const absl::Status& status) {
  const bool superseded = absl::IsAlreadyExists(status);
  if (superseded || (absl::IsFailedPrecondition(status) && !admitted_)) {
    leaving_ = true;
    deps_.on_refused(absl::Status(status.code(), OneLine(status.message())));
    return;
  }
  if (!complained_) {
    complained_ = true;
    deps_.log(absl::StrCat("coordinator at ", deps_.client->address(), " does not admit us (",
                           OneLine(status.message()), "); going on without it"));
  }
  ScheduleJoin();
}

void CoordinatorSession::ScheduleJoin() {
  const double jitter = 0.8 + 0.4 * deps_.random.Uniform();
  ScheduleAfter(backoff_ * jitter, [this] { Join(); });
  backoff_ = std::min(2 * backoff_, kLastBackoff);
}

void CoordinatorSession::Heartbeat() {
  CancelTimer(heartbeat_timer_);
  if (leaving_ || !connected_) return;
  if (!holds_lease()) {
    connected_ = false;
    complained_ = true;
    deps_.log(absl::StrFormat("coordinator at %s is away: the lease of %.1f s ran out; "
                              "going on without it",
                              deps_.client->address(), absl::ToDoubleSeconds(lease_)));
    Join();
    return;
  }
  heartbeat_timer_ = ScheduleAt(std::min(Now() + heartbeat_, lease_ends_), [this] { Heartbeat(); });
  if (heartbeat_open_) return;
  heartbeat_open_ = true;
  // Waiting for one answer until it is given up would cost the lease.
  ScheduleAfter(std::max(heartbeat_, lease_ / 4), [this, connection = connection_] {
    if (connection == connection_) heartbeat_open_ = false;
  });
  v1::HeartbeatRequest request;
  request.set_peer_id(deps_.self.peer_id());
  request.set_incarnation(deps_.self.incarnation());
  request.set_step(deps_.self.step());
  request.set_state(deps_.self.state());
  if (deps_.missing != nullptr) {
    request.set_looks_after_others(true);
    for (const PeerId peer : deps_.missing()) request.add_missing(peer.value());
  }
  if (deps_.averaging_time != nullptr) {
    request.set_averaging_seconds(absl::ToDoubleSeconds(deps_.averaging_time()));
  }
  deps_.client->Heartbeat(std::move(request),
                          Deliver<absl::StatusOr<v1::HeartbeatResponse>>(
                              [this, sent = Now(), connection = connection_](
                                  absl::StatusOr<v1::HeartbeatResponse> response) {
                                if (connection == connection_) OnHeartbeat(sent, response);
                              }));
  Failpoint("registration.heartbeat_sent");
}

void CoordinatorSession::OnHeartbeat(absl::Time sent,
                                     absl::StatusOr<v1::HeartbeatResponse> response) {
  heartbeat_open_ = false;
  if (response.ok()) {
    lease_ends_ = std::max(lease_ends_, sent + lease_);
    return;
  }
  // Any other error: the next heartbeat tries again, for as long as the lease lasts.
  if (!absl::IsNotFound(response.status())) return;
  deps_.log(absl::StrCat("coordinator: ", OneLine(response.status().message())));
  connected_ = false;
  Join();
}

void CoordinatorSession::Watch() {
  if (leaving_ || !connected_) return;
  CancelTimer(watch_timer_);
  v1::WatchRequest request;
  request.set_peer_id(deps_.self.peer_id());
  const uint64_t connection = connection_;
  deps_.client->Watch(
      std::move(request),
      [this, connection, alive = std::weak_ptr<int>(alive_)](v1::SwarmEvent event) {
        if (!alive.expired() && connection == connection_) OnEvent(event);
      },
      Deliver<absl::Status>([this, connection](absl::Status status) {
        if (connection == connection_) OnWatchClosed(status);
      }));
}

void CoordinatorSession::OnWatchClosed(const absl::Status&) {
  // Heartbeats tell whether the coordinator is gone; until they do, ask again.
  const double jitter = 0.8 + 0.4 * deps_.random.Uniform();
  watch_timer_ = ScheduleAfter(heartbeat_ * jitter, [this] { Watch(); });
}

void CoordinatorSession::OnEvent(const v1::SwarmEvent& event) {
  if (leaving_) return;
  if (event.has_view()) NoteView(event.view());
  if (event.has_round()) OnRound(event.round());
}

void CoordinatorSession::NoteView(const v1::SwarmView& view) {
  if (Accepts(view.epoch())) deps_.on_view(view);
}

void CoordinatorSession::OnRound(const v1::RoundPlan& plan) {
  if (!Accepts(plan.epoch()) || !holds_lease()) return;
  const std::pair<uint64_t, uint64_t> round(plan.epoch(), plan.round());
  if (round <= last_round_) return;
  last_round_ = round;
  ++rounds_heard_;
  const auto& participants = plan.participants();
  if (std::find(participants.begin(), participants.end(), deps_.self.peer_id()) !=
      participants.end()) {
    deps_.on_round(plan);
  }
}

bool CoordinatorSession::Accepts(uint64_t epoch) {
  if (epoch >= epoch_) {
    epoch_ = epoch;
    return true;
  }
  if (!complained_epoch_) {
    complained_epoch_ = true;
    deps_.log(absl::StrCat("coordinator at ", deps_.client->address(), " speaks for epoch ", epoch,
                           " after epoch ", epoch_, " was seen; ignoring its plans"));
  }
  return false;
}

}  // namespace starling
