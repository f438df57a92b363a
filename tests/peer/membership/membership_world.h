// One peer's membership core, and a network of which the test says who answers. Those who are up
// answer as the shipped code would: they contradict what is said against them, and help.

#ifndef STARLING_TESTS_PEER_MEMBERSHIP_MEMBERSHIP_WORLD_H_
#define STARLING_TESTS_PEER_MEMBERSHIP_MEMBERSHIP_WORLD_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "peer/membership/membership.h"

namespace starling {

inline constexpr uint64_t kSelf = 100;
inline constexpr uint64_t kRun = 77;

inline v1::Member Peer(uint64_t id, v1::PeerState state = v1::PEER_STATE_ALIVE,
                       uint64_t incarnation = 1) {
  v1::Member member;
  member.set_peer_id(id);
  member.set_incarnation(incarnation);
  member.set_address(absl::StrCat("10.0.0.1:", 7000 + id));
  member.set_state(state);
  return member;
}

// What `accusers` say of it.
inline v1::Member Suspected(v1::Member member, std::vector<uint64_t> accusers) {
  member.set_state(v1::PEER_STATE_SUSPECT);
  for (const uint64_t accuser : accusers) member.add_suspecters(accuser);
  return member;
}

class MembershipWorld : public testing::Test {
 protected:
  using Purpose = PingAction::Purpose;

  // What `peer` sends and answers.
  v1::ControlRequest PingFrom(const v1::Member& peer, std::vector<v1::Member> view = {}) {
    v1::ControlRequest request;
    *request.mutable_sender() = peer;
    request.set_run_id(kRun);
    request.mutable_ping();
    for (const v1::Member& member : view) *request.mutable_ping()->add_members() = member;
    return request;
  }
  v1::ControlResponse PongFrom(const v1::Member& peer, std::vector<v1::Member> view = {}) {
    v1::ControlResponse response;
    *response.mutable_sender() = peer;
    response.set_run_id(kRun);
    response.mutable_pong();
    for (const v1::Member& member : view) *response.mutable_pong()->add_members() = member;
    return response;
  }

  // Carries out all calls wanted: members of `up_` answer, nobody listens at other addresses,
  // addresses of `mute_` swallow every call and those of `cut_` ours alone, and calls for the
  // purposes of `lost_` get lost.
  std::vector<PingAction> RunCalls() {
    std::vector<PingAction> made;
    for (std::vector<PingAction> pings = core_.TakePings(); !pings.empty();
         pings = core_.TakePings()) {
      for (const PingAction& ping : pings) {
        made.push_back(ping);
        Answer(ping);
      }
    }
    return made;
  }
  void Answer(const PingAction& ping) {
    if (mute_.contains(ping.address) || cut_.contains(ping.address) ||
        lost_.contains(ping.purpose)) {
      unanswered_.push_back({now_ + ping.timeout, ping});
      return;
    }
    const auto peer = Listener(ping.address);
    if (peer == up_.end()) return core_.OnNoAnswer(now_, ping, "connection refused");
    v1::ControlRequest request;
    core_.FillRequest(ping, &request);
    Contradict(*peer, request.ping().members());
    Contradict(*peer, request.sync().members());
    v1::ControlResponse response = PongFrom(*peer);
    if (request.has_ping_request()) {
      v1::PingReport& report = *response.mutable_ping_report();
      const std::string& wanted = request.ping_request().target().address();
      const auto target = Listener(wanted);
      report.set_answered(target != up_.end() && !mute_.contains(wanted));
      if (report.answered()) *report.mutable_target() = *target;
    }
    if (request.has_sync()) *response.mutable_sync()->add_members() = *peer;
    core_.OnAnswer(now_, ping, response, absl::Milliseconds(2));
  }
  std::vector<v1::Member>::iterator Listener(const std::string& address) {
    return std::find_if(up_.begin(), up_.end(),
                        [&](const v1::Member& peer) { return peer.address() == address; });
  }
  void Contradict(v1::Member& peer, const google::protobuf::RepeatedPtrField<v1::Member>& said) {
    for (const v1::Member& member : said) {
      const bool bad = member.state() == v1::PEER_STATE_SUSPECT ||
                       member.state() == v1::PEER_STATE_DEAD;
      if (member.peer_id() == peer.peer_id() && bad) {
        peer.set_refutations(std::max(peer.refutations(), member.refutations() + 1));
      }
    }
  }

  // Lets time pass, tick by tick, with calls carried out; returns them.
  std::vector<PingAction> Pass(absl::Duration time) {
    std::vector<PingAction> made;
    for (const absl::Time end = now_ + time; now_ < end;) {
      now_ += core_.tick_interval();
      for (size_t i = 0; i < unanswered_.size();) {
        if (unanswered_[i].first > now_) {
          ++i;
          continue;
        }
        const PingAction ping = unanswered_[i].second;
        unanswered_.erase(unanswered_.begin() + i);
        core_.OnNoAnswer(now_, ping, "deadline exceeded");
      }
      core_.OnTick(now_);
      for (PingAction& call : RunCalls()) made.push_back(std::move(call));
    }
    return made;
  }
  // Ticks until the core wants a call for that purpose; all others are carried out.
  PingAction Await(Purpose purpose) {
    for (int tick = 0; tick < 10000; ++tick) {
      now_ += core_.tick_interval();
      core_.OnTick(now_);
      absl::optional<PingAction> found;
      for (const PingAction& ping : core_.TakePings()) {
        if (!found && ping.purpose == purpose) {
          found = ping;
        } else {
          Answer(ping);
        }
      }
      if (found) return *found;
      RunCalls();
    }
    ADD_FAILURE() << "no such call";
    return {};
  }
  // `peer` is up, has called us and answered us.
  void Meet(const v1::Member& peer) {
    up_.push_back(peer);
    core_.OnPing(now_, PingFrom(peer));
    RunCalls();
    ASSERT_EQ(State(peer.peer_id()), peer.state());
    core_.TakeTransitions();
  }
  void GoesDown(uint64_t id) {
    std::erase_if(up_, [&](const v1::Member& peer) { return peer.peer_id() == id; });
  }
  void FallsSilent(uint64_t id) { mute_.insert(Peer(id).address()); }

  const MemberView* Find(uint64_t id) {
    view_ = core_.Snapshot();
    for (const MemberView& member : view_.others) {
      if (member.member.peer_id() == id) return &member;
    }
    return nullptr;
  }
  v1::PeerState State(uint64_t id) {
    const MemberView* found = Find(id);
    return found == nullptr ? v1::PEER_STATE_UNSPECIFIED : found->member.state();
  }
  std::string Reason(uint64_t id) {
    const MemberView* found = Find(id);
    return found == nullptr ? "" : found->member.reason();
  }
  // What we tell others of it; UNSPECIFIED if nothing.
  v1::Member Told(uint64_t id) {
    for (const v1::Member& member : core_.Table()) {
      if (member.peer_id() == id) return member;
    }
    return v1::Member();
  }
  absl::Duration LeastRespite() const { return options_.SuspicionMin(core_.members()); }

  MembershipOptions options_ = MembershipOptions::Lan();
  absl::Time now_ = absl::UnixEpoch() + absl::Hours(1);
  Membership core_{options_, Peer(kSelf, v1::PEER_STATE_JOINING), RunId(kRun), now_, Random(1)};
  std::vector<v1::Member> up_;
  std::set<std::string> mute_;
  std::set<std::string> cut_;
  std::set<Purpose> lost_;
  std::vector<std::pair<absl::Time, PingAction>> unanswered_;
  MembershipView view_;
};

inline std::vector<std::string> Addresses(const std::vector<PingAction>& calls) {
  std::vector<std::string> addresses;
  for (const PingAction& call : calls) addresses.push_back(call.address);
  return addresses;
}

inline int Count(const std::vector<PingAction>& calls, PingAction::Purpose purpose) {
  return static_cast<int>(std::count_if(calls.begin(), calls.end(), [&](const PingAction& call) {
    return call.purpose == purpose;
  }));
}

}  // namespace starling

#endif  // STARLING_TESTS_PEER_MEMBERSHIP_MEMBERSHIP_WORLD_H_
