#include "peer/membership/membership.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/membership/member_states.h"
#include "peer/runtime/check.h"
#include "peer/runtime/one_line.h"

namespace starling {
namespace {

// Whoever was stopped compares its table with so many others.
constexpr int kSyncsAfterPause = 3;
// Whom nobody answers for as long as so many such calls may take, has nobody to be in touch with.
constexpr int kTouchesTried = 3;

const google::protobuf::RepeatedPtrField<v1::Member>& RowsOf(const v1::ControlResponse& response) {
  switch (response.body_case()) {
    case v1::ControlResponse::kSync:
      return response.sync().members();
    case v1::ControlResponse::kPingReport:
      return response.ping_report().members();
    default:
      return response.pong().members();
  }
}

}  // namespace

Membership::Membership(const MembershipOptions& options, const v1::Member& self, RunId run,
                       absl::Time now, Random random)
    : options_(options),
      run_(run),
      self_(self),
      random_(random.Split("choice")),
      ring_(random.Split("ring")),
      health_(options.worst_health),
      last_input_(now) {
  STARLING_CHECK(options.Validate().ok());
  STARLING_CHECK(self.peer_id() != 0);
  next_probe_ = now + random_.Uniform() * options.ping_interval;
  next_gossip_ = now + random_.Uniform() * options.gossip_interval;
  next_sync_ = now + random_.Uniform() * options.sync_interval;
}

void Membership::SetLocal(uint64_t step, v1::PeerState state, double loss) {
  self_.set_step(step);
  self_.set_loss(loss);
  if (self_.state() == state) return;
  changed_ = true;
  self_.set_state(state);
  self_.set_version(self_.version() + 1);
  News(PeerId(self_.peer_id()));
}

void Membership::SetSlot(uint32_t slot) {
  if (self_.slot() == slot) return;
  changed_ = true;
  self_.set_slot(slot);
  self_.set_version(self_.version() + 1);
  News(PeerId(self_.peer_id()));
}

absl::Duration Membership::tick_interval() const {
  return std::min(options_.ping_interval / 10, options_.gossip_interval / 4);
}

void Membership::OnTick(absl::Time now) {
  NoteOwnPause(now);
  for (auto& [id, row] : rows_) {
    Judge(now, row);
    CallDeparted(now, row);
  }
  EndOverdueProbes(now);
  ProbeNext(now);
  Gossip(now);
  SyncInTurn(now);
  CallSeeds(now);
  ForgetDeparted(now);
}

void Membership::OnAnswer(absl::Time now, const PingAction& ping,
                          const v1::ControlResponse& response, absl::Duration round_trip) {
  const v1::Member& sender = response.sender();
  if (sender.peer_id() == 0) return OnNoAnswer(now, ping, "whoever answers is not a peer");
  NoteOwnPause(now);
  if (ping.purpose == PingAction::Purpose::kSeed) {
    if (const auto seed = seeds_.find(ping.address); seed != seeds_.end()) {
      seed->second.pinging = false;
      seed->second.tried = seed->second.answered = true;
      seed->second.next_ping = now + options_.heal_interval;
    }
    any_seed_answered_ |= sender.peer_id() != self_.peer_id();
  } else if (Row* const row = Find(ping.expected); row != nullptr) {
    row->calling = false;
    if (sender.peer_id() != ping.expected.value()) {
      if (ping.purpose == PingAction::Purpose::kProbe) DropProbe(ping.probe);
      if (!IsDeparted(row->member) && row->member.address() == ping.address) {
        MarkDead(now, *row,
                 absl::StrCat("peer ", PeerId(sender.peer_id()).ToString(),
                              " answers at its address"));
      }
    }
  }
  if (response.has_goodbye()) OnGoodbye(now, sender, response.goodbye().reason());

  const Row* const known = Find(PeerId(sender.peer_id()));
  const bool again = known != nullptr && (known->verdict == Verdict::kSuspect ||
                                          known->member.state() == v1::PEER_STATE_SUSPECT ||
                                          IsDeparted(known->member));
  Row* const row = Contact(now, sender, response.run_id());
  if (row == nullptr) {
    if (ping.purpose == PingAction::Purpose::kProbe) DropProbe(ping.probe);
    if (ping.purpose == PingAction::Purpose::kHelp) HelperIsDone(now, ping.probe);
    // A process that ran as this peer before us, and leaves now, may be the only one that we know.
    if (sender.peer_id() == self_.peer_id()) LearnAll(now, RowsOf(response));
    const Row* const stranger = Find(PeerId(sender.peer_id()));
    if (ping.purpose == PingAction::Purpose::kSeed && stranger != nullptr &&
        stranger->verdict == Verdict::kIncompatible) {
      foreign_seed_ = absl::StrCat("the peer at ", ping.address, " ", stranger->member.reason());
    }
    return;
  }
  const bool was_dead = again && IsDeparted(row->member);
  const bool for_the_first_time = !row->answered;
  Reached(now, *row, round_trip);
  Show(now, *row, !again              ? "answers"
                  : for_the_first_time ? "answers for the first time"
                                       : "answers again");
  if (row->verdict != Verdict::kLiving || row->accused) LookAgain(now, *row);
  if (was_dead && row->verdict == Verdict::kLiving &&
      now - last_sync_ > options_.ping_interval / 2) {
    Sync(now, *row);
  }
  if (ping.purpose == PingAction::Purpose::kHelp) {
    if (response.has_ping_report()) {
      OnHelperAnswer(now, ping, response.ping_report());
    } else {
      HelperIsDone(now, ping.probe);
    }
  }
  LearnAll(now, RowsOf(response));
  // One sent before the standstill says how things were then.
  if (response.has_sync() && ping.sent >= woke_) BackInTouch();
}

void Membership::OnNoAnswer(absl::Time now, const PingAction& ping, absl::string_view why) {
  NoteOwnPause(now);
  if (ping.purpose == PingAction::Purpose::kSeed) {
    if (const auto seed = seeds_.find(ping.address); seed != seeds_.end()) {
      seed->second.pinging = false;
      seed->second.tried = true;
    }
    return;
  }
  if (ping.purpose == PingAction::Purpose::kHelp) {
    if (const auto found = probes_.find(ping.probe); found != probes_.end()) {
      ++found->second.helpers_silent;
    }
    HelperIsDone(now, ping.probe);
  }
  if (ping.purpose == PingAction::Purpose::kSync && now < in_touch_again_) syncs_due_ = 1;
  Row* const row = Find(ping.expected);
  if (row != nullptr) row->calling = false;
  if (row == nullptr || row->member.address() != ping.address) {  // it has moved since
    if (ping.purpose == PingAction::Purpose::kProbe) DropProbe(ping.probe);
    return;
  }
  row->failure = OneLine(why);
  ++row->unanswered;
  const bool refused = now - ping.sent < ping.timeout;
  if (ping.purpose == PingAction::Purpose::kProbe) {
    const auto found = probes_.find(ping.probe);
    if (found == probes_.end()) return;
    found->second.refused = refused;
    if (found->second.forgiven) return DropProbe(ping.probe);
    AskHelpers(now, ping.probe, found->second);
  } else if (row->verdict == Verdict::kLiving &&
             (refused || row->unanswered == kPatienceWithLink)) {
    StartProbe(now, *row);
  }
}

// What is common to all calls that come in. Null if the caller is not to be believed.
Membership::Row* Membership::Heard(absl::Time now, const v1::ControlRequest& request) {
  NoteOwnPause(now);
  Row* const row = Contact(now, request.sender(), request.run_id());
  if (row == nullptr) return nullptr;
  Show(now, *row, "");
  if (row->link != Link::kGood || row->verdict != Verdict::kLiving) {
    if (row->verdict == Verdict::kLiving && row->member.state() != v1::PEER_STATE_UNSPECIFIED) {
      SetState(now, *row, v1::PEER_STATE_SUSPECT, "calls us, has not answered yet");
    }
    LookAgain(now, *row);
  }
  return row;
}

void Membership::OnPing(absl::Time now, const v1::ControlRequest& request) {
  if (Heard(now, request) == nullptr) return;
  LearnAll(now, request.ping().members());
}

void Membership::OnSync(absl::Time now, const v1::ControlRequest& request) {
  if (Heard(now, request) == nullptr) return;
  LearnAll(now, request.sync().members());
}

void Membership::OnGoodbye(absl::Time now, const v1::Member& sender, absl::string_view reason) {
  Row* const row = Find(PeerId(sender.peer_id()));
  if (row == nullptr || sender.incarnation() < row->member.incarnation()) return;
  row->member.set_incarnation(sender.incarnation());
  if (row->verdict == Verdict::kLeft) return;
  SetVerdict(now, *row, Verdict::kLeft, absl::StrCat("left: ", OneLine(reason)));
  News(PeerId(sender.peer_id()));
}

void Membership::OnSwarmView(absl::Time now, const v1::SwarmView& view) {
  NoteOwnPause(now);
  for (int i = 0; i < view.members_size(); ++i) LearnFromCoordinator(now, view.members(i));
  ForgetDeparted(now);
}

void Membership::OnPathBroken(absl::Time now, const std::string& address) {
  NoteOwnPause(now);
  for (auto& [id, row] : rows_) {
    if (row.member.address() == address && IsReachable(row.member)) StartProbe(now, row);
  }
}

void Membership::OnQuarantine(absl::Time now, PeerId id, absl::Time until,
                              absl::string_view reason) {
  Row* const row = Find(id);
  if (row == nullptr) return;
  row->quarantined_until = until;
  row->quarantine = absl::StrCat("quarantined: ", OneLine(reason));
  Show(now, *row, row->quarantine);
}

std::vector<PingAction> Membership::TakePings() { return std::exchange(pings_, {}); }

std::vector<MemberTransition> Membership::TakeTransitions() {
  return std::exchange(transitions_, {});
}

bool Membership::TakeChanged() { return std::exchange(changed_, false); }

void Membership::NoteOwnPause(absl::Time now) {
  const absl::Duration gap = now - last_input_;
  last_input_ = now;
  if (gap <= options_.ping_timeout) return;  // nearly always, and cheaper
  if (gap <= std::max(ping_timeout(), 3 * tick_interval())) return;
  counters_.set_own_pauses(counters_.own_pauses() + 1);
  for (auto& [id, row] : rows_) {
    row.heard += gap;
    if (row.suspicion) row.suspicion->Shift(gap);
  }
  for (auto& [number, probe] : probes_) {
    probe.forgiven = true;
    probe.deadline += gap;
  }
  syncs_due_ = kSyncsAfterPause;
  next_gossip_ = now;
  if (gap <= options_.ping_interval) return;
  woke_ = now;
  in_touch_again_ = now + kTouchesTried * (options_.ping_interval + ping_timeout());
}

bool Membership::InTouch(absl::Time now) {
  NoteOwnPause(now);
  return now >= in_touch_again_;
}

}  // namespace starling
