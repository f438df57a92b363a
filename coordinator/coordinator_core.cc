#include "coordinator/coordinator_core.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "peer/runtime/one_line.h"
#include "peer/runtime/run_config.h"

namespace starling {
namespace {

// Of one report; more is not what peers send.
constexpr int kMostMissing = 256;
// Rounds last an hour at most.
constexpr double kLongestTold = 3600;

absl::Status Insists(absl::string_view what, absl::string_view ours, absl::string_view theirs) {
  return absl::FailedPreconditionError(
      absl::StrCat("this coordinator runs ", what, " \"", ours, "\", the peer insists on \"",
                   OneLine(theirs, 64), "\"; start the peer without --", what,
                   " or join another coordinator"));
}

// A time from the network; what makes no sense is none.
absl::Duration Told(double seconds) {
  return seconds > 0 && seconds < kLongestTold ? absl::Seconds(seconds) : absl::ZeroDuration();
}

}  // namespace

CoordinatorCore::CoordinatorCore(const RegistryOptions& options, const v1::RunConfig& config,
                                 uint64_t start_number, Random random, absl::Time now)
    : options_(options),
      config_(config),
      run_id_(RunIdOf(config)),
      random_(random),
      registry_(options, start_number, now),
      planner_(config.averaging()),
      last_tick_(now),
      announced_epoch_(registry_.epoch()) {}

absl::StatusOr<v1::JoinResponse> CoordinatorCore::Join(absl::Time now,
                                                       const v1::JoinRequest& request) {
  absl::Status status = CheckExpectations(request);
  if (!status.ok()) return status;

  v1::JoinResponse response;
  *response.mutable_config() = config_;
  response.set_run_id(run_id_.value());
  if (request.run_id() == 0) {
    *response.mutable_view() = View();
    return response;
  }
  v1::Member member = request.member();
  while (member.peer_id() == 0 ||
         (request.member().peer_id() == 0 && registry_.Find(PeerId(member.peer_id())))) {
    member.set_peer_id(random_.Next());
  }
  status = registry_.Join(now, member);
  if (!status.ok()) return status;
  NoteStart();

  response.set_peer_id(member.peer_id());
  response.set_slot(registry_.Find(PeerId(member.peer_id()))->slot());
  *response.mutable_view() = View();
  response.set_lease_seconds(absl::ToDoubleSeconds(options_.lease));
  response.set_heartbeat_seconds(absl::ToDoubleSeconds(options_.heartbeat));
  return response;
}

absl::StatusOr<v1::HeartbeatResponse> CoordinatorCore::Heartbeat(
    absl::Time now, const v1::HeartbeatRequest& request) {
  const absl::Status status =
      registry_.Renew(now, PeerId(request.peer_id()), request.incarnation(), request.step(),
                      request.state());
  if (!status.ok()) return status;
  if (request.looks_after_others()) {
    std::vector<PeerId> missing;
    for (int i = 0; i < std::min(request.missing_size(), kMostMissing); ++i) {
      missing.emplace_back(request.missing(i));
    }
    registry_.SetMissing(PeerId(request.peer_id()), std::move(missing));
  }
  registry_.SetAveragingTime(PeerId(request.peer_id()), Told(request.averaging_seconds()));
  NoteStart();
  v1::HeartbeatResponse response;
  response.set_epoch(registry_.epoch());
  return response;
}

void CoordinatorCore::Leave(absl::Time now, const v1::LeaveRequest& request) {
  registry_.Leave(now, PeerId(request.peer_id()), request.incarnation(), request.reason());
}

void CoordinatorCore::Tick(absl::Time now) {
  if (now - last_tick_ > options_.heartbeat) registry_.Grace(now);
  last_tick_ = now;
  registry_.Expire(now);
  if (config_.averaging().period_steps() == 0) return;
  absl::optional<v1::RoundPlan> plan =
      planner_.Tick(now, registry_.epoch(), registry_.Members(), registry_.LongestAveraging());
  if (plan.has_value()) plans_.push_back(*std::move(plan));
}

std::vector<v1::SwarmEvent> CoordinatorCore::TakeEvents() {
  std::vector<v1::SwarmEvent> events;
  if (announced_epoch_ != registry_.epoch()) {
    announced_epoch_ = registry_.epoch();
    *events.emplace_back().mutable_view() = View();
  }
  for (v1::RoundPlan& plan : plans_) *events.emplace_back().mutable_round() = std::move(plan);
  plans_.clear();
  return events;
}

v1::SwarmView CoordinatorCore::View() const {
  v1::SwarmView view;
  view.set_epoch(registry_.epoch());
  for (v1::Member& member : registry_.Members()) *view.add_members() = std::move(member);
  view.set_started(started_);
  return view;
}

v1::CoordinatorStatus CoordinatorCore::Status() const {
  v1::CoordinatorStatus status;
  status.set_configured(true);
  status.set_connected(true);
  status.set_epoch(registry_.epoch());
  status.set_rounds_planned(planner_.rounds_planned());
  return status;
}

absl::Status CoordinatorCore::CheckExpectations(const v1::JoinRequest& request) const {
  if (!request.expect_model().empty() && request.expect_model() != config_.model().name()) {
    return Insists("model", config_.model().name(), request.expect_model());
  }
  if (!request.expect_algorithm().empty() &&
      request.expect_algorithm() != config_.algorithm().name()) {
    return Insists("algorithm", config_.algorithm().name(), request.expect_algorithm());
  }
  if (request.run_id() != 0 && request.run_id() != run_id_.value()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "this coordinator runs \"", config_.name(), "\" (run ", run_id_.ToString(),
        "), the peer belongs to run ", RunId(request.run_id()).ToString(),
        "; start the peer without run flags or join another coordinator"));
  }
  return absl::OkStatus();
}

// Latched. A member that is training already says that the run began before this coordinator did.
void CoordinatorCore::NoteStart() {
  if (started_) return;
  started_ = registry_.living() >= config_.min_peers();
  if (started_) return;
  for (const v1::Member& member : registry_.Members()) {
    if (member.state() == v1::PEER_STATE_ALIVE) started_ = true;
  }
}

}  // namespace starling
