#include "coordinator/coordinator_actor.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/runtime/failpoint.h"
#include "peer/runtime/member_text.h"

namespace starling {

CoordinatorActor::CoordinatorActor(Executor* executor, const RegistryOptions& options,
                                   const v1::RunConfig& config, uint64_t start_number,
                                   Random random, Log log)
    : Actor(executor, kMailboxCapacity),
      tick_(options.heartbeat / 10),
      started_at_(executor->Now()),
      log_(std::move(log)),
      core_(options, config, start_number, random, started_at_) {}

void CoordinatorActor::Start() {
  AssertHere();
  Tick();
}

absl::StatusOr<v1::JoinResponse> CoordinatorActor::Join(const v1::JoinRequest& request) {
  AssertHere();
  Failpoint("coordinator.join_received");
  absl::StatusOr<v1::JoinResponse> response = core_.Join(Now(), request);
  if (request.run_id() != 0) Failpoint("coordinator.joined");
  LogChanges();
  return response;
}

absl::StatusOr<v1::HeartbeatResponse> CoordinatorActor::Heartbeat(
    const v1::HeartbeatRequest& request) {
  AssertHere();
  Failpoint("coordinator.heartbeat_received");
  absl::StatusOr<v1::HeartbeatResponse> response = core_.Heartbeat(Now(), request);
  LogChanges();
  return response;
}

void CoordinatorActor::Leave(const v1::LeaveRequest& request) {
  AssertHere();
  core_.Leave(Now(), request);
  LogChanges();
}

absl::Status CoordinatorActor::AddWatcher(std::shared_ptr<SwarmWatcher> watcher) {
  AssertHere();
  if (closing_) return absl::UnavailableError("the coordinator is shutting down");
  if (watchers_.size() >= kMaxWatchers) {
    return absl::ResourceExhaustedError(
        absl::StrCat("this coordinator serves its limit of ", kMaxWatchers, " watchers"));
  }
  watchers_.push_back(watcher);
  v1::SwarmEvent event;
  *event.mutable_view() = core_.View();
  watcher->OnEvent(event);
  return absl::OkStatus();
}

void CoordinatorActor::RemoveWatcher(const SwarmWatcher* watcher) {
  AssertHere();
  std::erase_if(watchers_, [&](const auto& known) { return known.get() == watcher; });
}

void CoordinatorActor::CloseWatchers() {
  AssertHere();
  closing_ = true;
  for (const auto& watcher : std::exchange(watchers_, {})) watcher->OnEnd();
}

v1::Status CoordinatorActor::Status() const {
  AssertHere();
  v1::Status status;
  status.set_role(v1::ROLE_COORDINATOR);
  status.set_run_id(core_.run_id().ToString());
  status.set_phase(closing_           ? v1::PHASE_LEAVING
                   : core_.started() ? v1::PHASE_TRAINING
                                     : v1::PHASE_WAITING);
  status.set_uptime_seconds(absl::ToDoubleSeconds(Now() - started_at_));
  *status.mutable_config() = core_.config();
  const v1::SwarmView view = core_.View();
  for (const v1::Member& member : view.members()) {
    *status.add_peers() = ToPeerStatus(member);
  }
  *status.mutable_coordinator() = core_.Status();
  return status;
}

void CoordinatorActor::Tick() {
  core_.Tick(Now());
  LogChanges();
  for (const v1::SwarmEvent& event : core_.TakeEvents()) {
    // A copy, for a watcher may remove itself.
    for (const auto& watcher : std::vector(watchers_)) watcher->OnEvent(event);
    Failpoint("coordinator.event_sent");
  }
  ScheduleAfter(tick_, [this] { Tick(); });
}

void CoordinatorActor::LogChanges() {
  for (const v1::Member& member : core_.TakeChanges()) {
    if (log_) log_(member);
  }
}

}  // namespace starling
