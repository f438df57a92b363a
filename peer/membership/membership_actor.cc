#include "peer/membership/membership_actor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/membership/member_states.h"
#include "peer/runtime/failpoint.h"
#include "peer/runtime/member_text.h"
#include "peer/runtime/one_line.h"

namespace starling {
namespace {

// Swarms with more members than this are told of changes together, ten times per ping interval.
constexpr size_t kManyMembers = 64;

constexpr size_t kMailboxCapacity = 1024;
constexpr absl::Duration kFarewell = absl::Seconds(1);
// Pings on behalf of others at a time; those who ask for more are told that we did not try.
constexpr int kMaxRelays = 64;

}  // namespace

MembershipActor::MembershipActor(const MembershipOptions& options, Deps deps)
    : Actor(deps.control, kMailboxCapacity),
      options_(options),
      deps_(std::move(deps)),
      core_(options, deps_.self, deps_.run, deps_.control->Now(),
            deps_.random.Split("core").Split(deps_.self.peer_id())) {
  if (deps_.coordinator == nullptr) return;
  CoordinatorSession::Deps session;
  session.control = deps_.control;
  session.client = deps_.coordinator;
  session.self = deps_.self;
  session.run = deps_.run;
  session.random = deps_.random.Split("coordinator");
  session.on_view = [this](const v1::SwarmView& view) { OnSwarmView(view); };
  session.on_round = deps_.on_round;
  session.on_refused = [this](absl::Status status) { Refuse(std::move(status)); };
  session.missing = [this] { return core_.Missing(); };
  session.averaging_time = deps_.averaging_time;
  session.log = deps_.log;
  session_ = std::make_unique<CoordinatorSession>(std::move(session));
}

void MembershipActor::Start() {
  AssertHere();
  for (const std::string& seed : deps_.seeds) core_.AddSeed(Now(), seed);
  if (session_ != nullptr) session_->Start();
  Tick();
}

bool MembershipActor::InTouch() {
  AssertHere();
  return core_.InTouch(Now());
}

MembershipView MembershipActor::View() const {
  AssertHere();
  MembershipView view = core_.Snapshot();
  view.settled = Settled();
  return view;
}

void MembershipActor::SetLocal(uint64_t step, v1::PeerState state, double loss) {
  AssertHere();
  core_.SetLocal(step, state, loss);
  if (session_ != nullptr && leaving_.empty()) session_->SetLocal(step, state);
}

bool MembershipActor::HandleControl(const v1::ControlRequest& request,
                                    v1::ControlResponse* response) {
  AssertHere();
  if (request.has_goodbye()) {
    response->mutable_pong();
    core_.OnGoodbye(Now(), request.sender(), request.goodbye().reason());
  } else if (!request.has_ping() && !request.has_sync()) {
    return false;
  } else if (!leaving_.empty()) {
    response->mutable_goodbye()->set_reason(leaving_);
  } else if (request.has_ping()) {
    Failpoint("membership.ping_received");
    // First, for it may say something of us to contradict in the answer.
    core_.OnPing(Now(), request);
    response->mutable_pong();
    for (v1::Member& member : core_.MembersToSend(PeerId(request.sender().peer_id()))) {
      *response->mutable_pong()->add_members() = std::move(member);
    }
  } else {
    core_.OnSync(Now(), request);
    for (v1::Member& member : core_.Table()) {
      *response->mutable_sync()->add_members() = std::move(member);
    }
  }
  *response->mutable_sender() = core_.self();
  // After the answer is on its way: what follows may call back into the peer.
  PostOwn([this] {
    Failpoint("membership.ping_answered");
    Flush();
  });
  return true;
}

void MembershipActor::HandlePingRequest(const v1::ControlRequest& request,
                                        v1::ControlResponse response, ControlResponder respond) {
  AssertHere();
  *response.mutable_sender() = core_.self();
  if (!leaving_.empty()) {
    response.mutable_goodbye()->set_reason(leaving_);
    respond(std::move(response));
    return;
  }
  const absl::optional<PingAction> ping = core_.OnPingRequest(Now(), request);
  *response.mutable_sender() = core_.self();
  for (v1::Member& member : core_.MembersToSend(PeerId(request.sender().peer_id()))) {
    *response.mutable_ping_report()->add_members() = std::move(member);
  }
  PostOwn([this] { Flush(); });
  if (!ping || relays_ >= kMaxRelays) {
    response.mutable_ping_report()->set_why(ping ? "the helper is busy" : "nothing to ping");
    respond(std::move(response));
    return;
  }
  ++relays_;
  Failpoint("relay.asked");
  Ping(*ping, [this, response = std::move(response), respond = std::move(respond)](
                  const absl::StatusOr<v1::ControlResponse>& answer) mutable {
    --relays_;
    v1::PingReport& report = *response.mutable_ping_report();
    report.set_answered(answer.ok() && !answer->has_goodbye() &&
                        answer->sender().peer_id() != 0);
    if (report.answered()) {
      *report.mutable_target() = answer->sender();
    } else {
      report.set_why(OneLine(answer.ok() ? "it is leaving" : answer.status().message()));
    }
    respond(std::move(response));
  });
}

void MembershipActor::OnQuarantine(PeerId peer, absl::Duration duration,
                                   const std::string& reason) {
  AssertHere();
  core_.OnQuarantine(Now(), peer, Now() + duration, reason);
  Flush();
}

void MembershipActor::OnPathBroken(const std::string& address) {
  AssertHere();
  core_.OnPathBroken(Now(), address);
  Flush();
}

void MembershipActor::Leave(std::string reason, absl::AnyInvocable<void()> done) {
  AssertHere();
  leaving_ = reason.empty() ? "no reason given" : OneLine(reason);

  // `finish` fires once: when everybody has answered, or when the time is up.
  auto finish = std::make_shared<absl::AnyInvocable<void()>>(
      [done = std::move(done)]() mutable { std::exchange(done, nullptr)(); });
  auto waiting = std::make_shared<int>(1);
  auto answered = std::make_shared<absl::AnyInvocable<void()>>(
      [finish, waiting]() mutable {
        if (--*waiting == 0 && *finish) std::exchange(*finish, nullptr)();
      });
  const MembershipView view = core_.Snapshot();
  for (const MemberView& other : view.others) {
    if (!SaysLiving(other.member)) continue;
    ++*waiting;
    SayGoodbye(other.member.address(), answered);
  }
  if (session_ != nullptr) {
    ++*waiting;
    session_->Leave(leaving_, [answered] { (*answered)(); });
  }
  ScheduleAfter(kFarewell, [finish] {
    if (*finish) std::exchange(*finish, nullptr)();
  });
  PostOwn([answered] { (*answered)(); });
}

v1::CoordinatorStatus MembershipActor::CoordinatorStatus() const {
  AssertHere();
  return session_ == nullptr ? v1::CoordinatorStatus() : session_->Status();
}

std::vector<v1::PeerStatus> MembershipActor::Peers() const {
  AssertHere();
  std::vector<v1::PeerStatus> peers;
  const auto add_self = [&] {
    peers.push_back(ToPeerStatus(core_.self()));
    peers.back().set_self(true);
    peers.back().set_refutations(core_.self().refutations());
  };
  bool self_added = false;
  const MembershipView view = core_.Snapshot();
  for (const MemberView& other : view.others) {
    if (!self_added && other.member.peer_id() > core_.self().peer_id()) {
      add_self();
      self_added = true;
    }
    peers.push_back(ToPeerStatus(other.member));
    peers.back().set_rtt_ms(absl::ToDoubleMilliseconds(other.rtt));
    core_.FillStatus(Now(), PeerId(other.member.peer_id()), &peers.back());
  }
  if (!self_added) add_self();
  return peers;
}

v1::DetectorStatus MembershipActor::DetectorStatus() const {
  AssertHere();
  return core_.Status(Now());
}

std::vector<v1::EffectiveValue> MembershipActor::EffectiveValues() const {
  AssertHere();
  return core_.EffectiveValues();
}

void MembershipActor::Tick() {
  if (!leaving_.empty() || refused_) return;
  core_.OnTick(Now());
  Flush();
  ScheduleAfter(core_.tick_interval(), [this] { Tick(); });
}

void MembershipActor::Flush() {
  if (!leaving_.empty() || refused_) return;
  for (const PingAction& action : core_.TakePings()) Ping(action);
  for (const MemberTransition& transition : core_.TakeTransitions()) {
    LogTransition(transition);
    ForgetIfGone(transition);
  }
  CheckRefusal();
  if (refused_) return;
  if (!settled_ && Settled()) {
    settled_ = true;
    Publish();
  } else {
    unpublished_ |= core_.TakeChanged();
    const bool soon = published_members_ > kManyMembers &&
                      Now() < last_publication_ + options_.ping_interval / 10;
    if ((unpublished_ && !soon) || Now() >= next_publication_) Publish();
  }
  CheckStarted();
}

void MembershipActor::Ping(const PingAction& action) { Ping(action, nullptr); }

void MembershipActor::Ping(const PingAction& action, PingCallback then) {
  v1::ControlRequest request = NewRequest();
  core_.FillRequest(action, &request);
  deps_.transport->Call(
      action.address, std::move(request), action.timeout,
      Deliver<absl::StatusOr<v1::ControlResponse>>(
          [this, action, then = std::move(then),
           sent = Now()](absl::StatusOr<v1::ControlResponse> response) mutable {
            if (response.ok()) Failpoint("membership.pong_received");
            if (response.ok()) {
              core_.OnAnswer(Now(), action, *response, Now() - sent);
            } else {
              core_.OnNoAnswer(Now(), action, response.status().message());
              if (action.purpose == PingAction::Purpose::kSeed) {
                TellOfSilence(action.address, response.status());
              }
              // The next attempt begins with a new connection, not with this one's backoff.
              if (action.purpose == PingAction::Purpose::kRetry && !core_.AnswersAt(action.address)) {
                deps_.transport->Forget(action.address);
              }
            }
            if (then != nullptr) then(response);
            Flush();
          }));
  Failpoint("membership.ping_sent");
}

// Somebody may have misspelt it. Once for each: it is asked for ever.
void MembershipActor::TellOfSilence(const std::string& seed, const absl::Status& why) {
  if (!silent_seeds_.insert(seed).second) return;
  deps_.log(absl::StrCat("peer at ", seed, " does not answer (", OneLine(why.message()),
                         "); going on without it, and asking on"));
}

void MembershipActor::OnSwarmView(const v1::SwarmView& view) {
  swarm_started_ |= view.started();
  core_.OnSwarmView(Now(), view);
  Flush();
}

void MembershipActor::LogTransition(const MemberTransition& transition) {
  const v1::Member& member = transition.member;
  std::string line = absl::StrCat(Describe(member), " is ", StateName(member.state()));
  if (transition.from != v1::PEER_STATE_UNSPECIFIED) {
    absl::StrAppend(&line, ", was ", StateName(transition.from));
  }
  if (!member.reason().empty()) absl::StrAppend(&line, ": ", member.reason());
  deps_.log(line);
}

void MembershipActor::ForgetIfGone(const MemberTransition& transition) {
  if (!IsDeparted(transition.member)) return;
  const MembershipView view = core_.Snapshot();
  const bool taken = std::any_of(
      view.others.begin(), view.others.end(), [&](const MemberView& other) {
        return SaysLiving(other.member) && other.member.address() == transition.member.address();
      });
  if (!taken) deps_.transport->Forget(transition.member.address());
}

void MembershipActor::CheckRefusal() {
  if (!core_.superseded().empty()) {
    Refuse(absl::AlreadyExistsError(core_.superseded()));
  } else if (!core_.foreign_seed().empty() && !told_started_ && core_.reachable() == 1) {
    // We were sent to a swarm that trains something else.
    Refuse(absl::FailedPreconditionError(absl::StrCat(
        core_.foreign_seed(), "; start both with the same configuration")));
  }
}

void MembershipActor::CheckStarted() {
  // After a view, not after each of the events that it sums up.
  if (told_started_ || unpublished_) return;
  if (!swarm_started_ && !core_.anyone_training() && core_.reachable() < deps_.min_peers) return;
  // Whoever trains already must be known by then: a newcomer begins with their parameters.
  if (core_.has_untried()) return;
  told_started_ = true;
  deps_.on_started();
}

bool MembershipActor::Settled() const {
  if (core_.has_untried()) return false;
  if (session_ != nullptr) return session_->admitted() || core_.any_seed_answered();
  return core_.seeds_tried();
}

void MembershipActor::Publish() {
  core_.TakeChanged();
  unpublished_ = false;
  last_publication_ = Now();
  next_publication_ = last_publication_ + options_.ping_interval;
  auto view = std::make_shared<MembershipView>(core_.Snapshot());
  view->settled = settled_;
  published_members_ = view->others.size();
  deps_.on_view(std::move(view));
}

void MembershipActor::Refuse(absl::Status status) {
  if (refused_ || !leaving_.empty()) return;
  refused_ = true;
  deps_.on_refused(std::move(status));
}

v1::ControlRequest MembershipActor::NewRequest() const {
  v1::ControlRequest request;
  *request.mutable_sender() = core_.self();
  request.set_run_id(deps_.run.value());
  return request;
}

void MembershipActor::SayGoodbye(std::string address,
                                 std::shared_ptr<absl::AnyInvocable<void()>> answered) {
  v1::ControlRequest request = NewRequest();
  request.mutable_goodbye()->set_reason(leaving_);
  deps_.transport->Call(address, std::move(request), kFarewell,
                        Deliver<absl::StatusOr<v1::ControlResponse>>(
                            [answered](const absl::StatusOr<v1::ControlResponse>&) {
                              (*answered)();
                            }));
  Failpoint("leaving.goodbye_sent");
}

}  // namespace starling
