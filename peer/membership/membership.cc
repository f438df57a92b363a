#include "peer/membership/membership.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "peer/membership/member_states.h"
#include "peer/runtime/check.h"
#include "peer/runtime/host_port.h"
#include "peer/runtime/one_line.h"

namespace starling {
namespace {

// Rows of one message that are looked at; more is not what we send.
constexpr int kMaxRowsRead = 1024;

}  // namespace

Membership::Membership(const MembershipOptions& options, const v1::Member& self, RunId run,
                       absl::Time now)
    : options_(options), run_(run), origin_(now), self_(self), last_tick_(now) {
  STARLING_CHECK(options.Validate().ok());
  STARLING_CHECK(self.peer_id() != 0);
}

void Membership::AddSeed(absl::Time now, const std::string& address) {
  if (address != self_.address()) seeds_[address] = Seed{now};
}

void Membership::SetLocal(uint64_t step, v1::PeerState state, double loss) {
  changed_ |= self_.state() != state;
  self_.set_step(step);
  self_.set_state(state);
  self_.set_loss(loss);
}

void Membership::SetSlot(uint32_t slot) {
  changed_ |= self_.slot() != slot;
  self_.set_slot(slot);
}

void Membership::OnTick(absl::Time now) {
  ForgiveOwnPause(now);
  for (auto& [id, row] : rows_) {
    const v1::PeerState state = row.member.state();
    if (IsReachable(row.member) && row.pinging && now - row.pinged >= options_.suspect_after) {
      SetState(now, row, v1::PEER_STATE_SUSPECT,
               absl::StrFormat("no answer for %.1f s", absl::ToDoubleSeconds(now - row.pinged)));
    }
    const bool waiting =
        state == v1::PEER_STATE_SUSPECT || state == v1::PEER_STATE_UNSPECIFIED;
    if (waiting && now - row.heard >= options_.dead_after) MarkDead(now, row);
    // Called rarely, so heard rarely.
    if (state == v1::PEER_STATE_INCOMPATIBLE &&
        now - row.heard >= options_.heal_interval + options_.dead_after) {
      MarkDead(now, row);
    }
    PingIfDue(now, row);
  }
  for (auto& [address, seed] : seeds_) {
    if (seed.pinging || now < seed.next_ping) continue;
    seed.next_ping = now + (seed.answered ? options_.heal_interval : options_.ping_interval);
    // Whoever answers there is called as a member.
    if (seed.answered && AnswersAt(address)) continue;
    seed.pinging = true;
    pings_.push_back({address, PeerId(), options_.suspect_after});
  }
  ForgetDeparted(now);
}

void Membership::OnAnswer(absl::Time now, const PingAction& ping,
                          const v1::ControlResponse& response, absl::Duration round_trip) {
  const v1::Member& sender = response.sender();
  if (sender.peer_id() == 0) return OnNoAnswer(now, ping, "whoever answers is not a peer");
  if (ping.expected.empty()) {
    if (const auto seed = seeds_.find(ping.address); seed != seeds_.end()) {
      seed->second.pinging = false;
      seed->second.tried = seed->second.answered = true;
      seed->second.next_ping = now + options_.heal_interval;
    }
    any_seed_answered_ |= sender.peer_id() != self_.peer_id();
  } else if (const auto found = rows_.find(ping.expected); found != rows_.end()) {
    Row& row = found->second;
    row.pinging = false;
    if (sender.peer_id() != ping.expected.value() && !IsDeparted(row.member)) {
      SetState(now, row, v1::PEER_STATE_DEAD,
               absl::StrCat("peer ", PeerId(sender.peer_id()).ToString(),
                            " answers at its address"));
    }
  }
  if (response.has_goodbye()) return OnGoodbye(now, sender, response.goodbye().reason());

  Row* row = Contact(now, sender, response.run_id());
  if (row == nullptr) {
    const auto found = rows_.find(PeerId(sender.peer_id()));
    if (ping.expected.empty() && found != rows_.end() &&
        found->second.member.state() == v1::PEER_STATE_INCOMPATIBLE) {
      foreign_seed_ = absl::StrCat("the peer at ", ping.address, " ",
                                   found->second.member.reason());
    }
    return;
  }
  row->failure.clear();
  row->rtt = row->rtt == absl::ZeroDuration() ? round_trip : 0.875 * row->rtt + 0.125 * round_trip;
  const bool again = row->member.state() == v1::PEER_STATE_SUSPECT || IsDeparted(row->member);
  SetState(now, *row, row->told, again ? "answers again" : "answers");
  row->next_ping = NextTurn(now, sender.peer_id());
  for (int i = 0; i < std::min(response.pong().members_size(), kMaxRowsRead); ++i) {
    Learn(now, response.pong().members(i));
  }
}

void Membership::OnNoAnswer(absl::Time now, const PingAction& ping, absl::string_view why) {
  if (ping.expected.empty()) {
    if (const auto seed = seeds_.find(ping.address); seed != seeds_.end()) {
      seed->second.pinging = false;
      seed->second.tried = true;
    }
    return;
  }
  const auto found = rows_.find(ping.expected);
  if (found == rows_.end()) return;
  Row& row = found->second;
  row.pinging = false;
  if (row.member.address() != ping.address) return;  // it has moved since
  row.failure = OneLine(why);
  if (IsReachable(row.member)) {
    SetState(now, row, v1::PEER_STATE_SUSPECT, absl::StrCat("no answer: ", row.failure));
  }
}

void Membership::OnPing(absl::Time now, const v1::ControlRequest& request) {
  Row* row = Contact(now, request.sender(), request.run_id());
  if (row == nullptr) return;
  if (IsReachable(row->member)) {
    SetState(now, *row, row->told, "");
  } else {
    if (row->member.state() != v1::PEER_STATE_UNSPECIFIED) {
      SetState(now, *row, v1::PEER_STATE_SUSPECT, "calls us, has not answered yet");
    }
    Ping(now, *row);
  }
  for (int i = 0; i < std::min(request.ping().members_size(), kMaxRowsRead); ++i) {
    Learn(now, request.ping().members(i));
  }
}

void Membership::OnGoodbye(absl::Time now, const v1::Member& sender, absl::string_view reason) {
  const auto found = rows_.find(PeerId(sender.peer_id()));
  if (found == rows_.end() || sender.incarnation() < found->second.member.incarnation()) return;
  found->second.member.set_incarnation(sender.incarnation());
  SetState(now, found->second, v1::PEER_STATE_LEFT, absl::StrCat("left: ", OneLine(reason)));
}

void Membership::OnSwarmView(absl::Time now, const v1::SwarmView& view) {
  for (int i = 0; i < view.members_size(); ++i) LearnFromCoordinator(now, view.members(i));
  ForgetDeparted(now);
}

void Membership::OnPathBroken(absl::Time now, const std::string& address) {
  for (auto& [id, row] : rows_) {
    if (row.member.address() == address && IsReachable(row.member)) Ping(now, row);
  }
}

std::vector<PingAction> Membership::TakePings() { return std::exchange(pings_, {}); }

std::vector<MemberTransition> Membership::TakeTransitions() {
  return std::exchange(transitions_, {});
}

bool Membership::TakeChanged() { return std::exchange(changed_, false); }

std::vector<v1::Member> Membership::MembersToSend() {
  std::vector<v1::Member> members;
  auto it = rows_.upper_bound(send_cursor_);
  for (size_t seen = 0; seen < rows_.size(); ++seen, ++it) {
    if (it == rows_.end()) it = rows_.begin();
    const v1::Member& member = it->second.member;
    if (!SaysLiving(member) && !IsDeparted(member)) continue;
    members.push_back(member);
    if (members.size() == options_.members_per_message) {
      send_cursor_ = it->first;
      break;
    }
  }
  return members;
}

MembershipView Membership::Snapshot() const {
  MembershipView view;
  for (const auto& [id, row] : rows_) {
    if (row.member.state() != v1::PEER_STATE_UNSPECIFIED) {
      view.others.push_back({row.member, row.rtt});
    }
  }
  return view;
}

size_t Membership::reachable() const {
  return 1 + std::count_if(rows_.begin(), rows_.end(),
                           [](const auto& entry) { return IsReachable(entry.second.member); });
}

bool Membership::seeds_tried() const {
  return std::all_of(seeds_.begin(), seeds_.end(),
                     [](const auto& entry) { return entry.second.tried; });
}

bool Membership::has_untried() const {
  return std::any_of(rows_.begin(), rows_.end(), [](const auto& entry) {
    const Row& row = entry.second;
    return row.member.state() == v1::PEER_STATE_UNSPECIFIED && row.failure.empty();
  });
}

bool Membership::anyone_training() const {
  return std::any_of(rows_.begin(), rows_.end(), [](const auto& entry) {
    return entry.second.member.state() == v1::PEER_STATE_ALIVE;
  });
}

// A sign of life from `sender` itself. Null if it is not to be believed or not to be chosen.
Membership::Row* Membership::Contact(absl::Time now, const v1::Member& sender, uint64_t run_id) {
  const PeerId id(sender.peer_id());
  if (sender.peer_id() == self_.peer_id()) NoteOwnIncarnation(sender);
  if (id.empty() || sender.peer_id() == self_.peer_id()) return nullptr;
  if (!ValidateDialable(sender.address()).ok()) return nullptr;

  const auto found = rows_.find(id);
  Row* row = found == rows_.end() ? Introduce(now, sender) : &found->second;
  if (row == nullptr) return nullptr;
  v1::Member& known = row->member;
  if (sender.incarnation() < known.incarnation()) return nullptr;
  if (sender.incarnation() == known.incarnation() && known.state() == v1::PEER_STATE_LEFT) {
    return nullptr;
  }
  if (sender.incarnation() > known.incarnation()) {
    known.set_incarnation(sender.incarnation());
    row->rtt = absl::ZeroDuration();
    if (IsReachable(known)) SetState(now, *row, v1::PEER_STATE_SUSPECT, "restarted");
  }
  if (known.slot() != sender.slot() || known.address() != sender.address()) changed_ = true;
  known.set_address(sender.address());
  known.set_slot(sender.slot());
  known.set_step(sender.step());
  known.set_loss(sender.loss());
  changed_ |= known.centre() != sender.centre();
  known.set_centre(sender.centre());
  row->told = sender.state() == v1::PEER_STATE_ALIVE ? v1::PEER_STATE_ALIVE
                                                     : v1::PEER_STATE_JOINING;
  row->heard = now;
  row->met = true;
  if (run_id != 0 && !run_.empty() && run_id != run_.value()) {
    SetState(now, *row, v1::PEER_STATE_INCOMPATIBLE,
             absl::StrCat("belongs to run ", RunId(run_id).ToString(), ", we to ",
                          run_.ToString()));
    row->next_ping = now + options_.heal_interval;
    return nullptr;
  }
  return row;
}

// A new candidate, to be called at the next tick; null if there are too many already.
Membership::Row* Membership::Introduce(absl::Time now, const v1::Member& member) {
  // Counting is left for when it matters: it costs a walk for each newcomer of a large swarm.
  if (rows_.size() >= options_.max_members) {
    const size_t others = std::count_if(rows_.begin(), rows_.end(), [](const auto& entry) {
      return !IsDeparted(entry.second.member);
    });
    if (others >= options_.max_members) return nullptr;
  }
  Row& row = rows_[PeerId(member.peer_id())];
  row.member.set_peer_id(member.peer_id());
  row.member.set_incarnation(member.incarnation());
  row.member.set_address(member.address());
  row.member.set_slot(member.slot());
  row.member.set_step(member.step());
  row.member.set_loss(member.loss());
  row.member.set_centre(member.centre());
  row.since = row.heard = row.next_ping = now;
  return &row;
}

void Membership::NoteOwnIncarnation(const v1::Member& member) {
  if (member.incarnation() <= self_.incarnation() || !superseded_.empty()) return;
  superseded_ = absl::StrCat("another process runs as peer ", PeerId(self_.peer_id()).ToString(),
                             " with a higher incarnation, at ", OneLine(member.address()));
}

void Membership::SetState(absl::Time now, Row& row, v1::PeerState state, std::string reason) {
  const v1::PeerState from = row.member.state();
  if (from == state) return;
  row.member.set_state(state);
  row.member.set_reason(std::move(reason));
  row.since = now;
  transitions_.push_back({row.member, from});
  changed_ = true;
}

void Membership::MarkDead(absl::Time now, Row& row) {
  std::string reason =
      row.met ? absl::StrFormat("silent for %.1f s", absl::ToDoubleSeconds(now - row.heard))
              : "never answered";
  if (!row.failure.empty()) absl::StrAppend(&reason, " (", row.failure, ")");
  SetState(now, row, v1::PEER_STATE_DEAD, std::move(reason));
  row.next_ping = now + options_.heal_interval;
}

void Membership::Ping(absl::Time now, Row& row) {
  if (row.pinging || row.member.address() == self_.address()) return;
  row.pinging = true;
  row.pinged = now;
  pings_.push_back({row.member.address(), PeerId(row.member.peer_id()), options_.suspect_after});
}

void Membership::PingIfDue(absl::Time now, Row& row) {
  const v1::PeerState state = row.member.state();
  if (state == v1::PEER_STATE_LEFT || row.pinging || now < row.next_ping) return;
  const bool rarely = state == v1::PEER_STATE_DEAD || state == v1::PEER_STATE_INCOMPATIBLE;
  row.next_ping = rarely ? now + options_.heal_interval : NextTurn(now, row.member.peer_id());
  if (!rarely || !AddressTaken(row)) Ping(now, row);
}

bool Membership::AnswersAt(const std::string& address) const {
  return std::any_of(rows_.begin(), rows_.end(), [&](const auto& entry) {
    return entry.second.member.address() == address && IsReachable(entry.second.member);
  });
}

// True if somebody else answers at this address: whoever was there before is gone.
bool Membership::AddressTaken(const Row& row) const {
  return std::any_of(rows_.begin(), rows_.end(), [&](const auto& entry) {
    const v1::Member& other = entry.second.member;
    return other.address() == row.member.address() && other.peer_id() != row.member.peer_id() &&
           IsReachable(other);
  });
}

// The first moment after `now` that belongs to this member: the same fraction of every interval.
absl::Time Membership::NextTurn(absl::Time now, uint64_t id) const {
  const double fraction = static_cast<double>((id * 0x9e3779b97f4a7c15u) >> 11) * 0x1.0p-53;
  const absl::Time first = origin_ + fraction * options_.ping_interval;
  if (now < first) return first;
  absl::Duration into_the_interval;
  absl::IDivDuration(now - first, options_.ping_interval, &into_the_interval);
  return now - into_the_interval + options_.ping_interval;
}

void Membership::ForgiveOwnPause(absl::Time now) {
  const absl::Duration gap = now - last_tick_;
  last_tick_ = now;
  if (gap <= options_.ping_interval) return;
  for (auto& [id, row] : rows_) {
    row.heard += gap;
    if (row.pinging) row.pinged += gap;
    if (!IsDeparted(row.member)) row.next_ping = now;
  }
}

void Membership::ForgetDeparted(absl::Time now) {
  size_t departed = 0;
  for (auto it = rows_.begin(); it != rows_.end();) {
    const bool gone = IsDeparted(it->second.member);
    const bool old = gone && now - it->second.since >= options_.departed_kept;
    departed += gone && !old;
    changed_ |= old;
    it = old ? rows_.erase(it) : std::next(it);
  }
  for (; departed > options_.max_departed; --departed) {
    auto oldest = rows_.end();
    for (auto it = rows_.begin(); it != rows_.end(); ++it) {
      if (!IsDeparted(it->second.member)) continue;
      if (oldest == rows_.end() || it->second.since < oldest->second.since) oldest = it;
    }
    rows_.erase(oldest);
    changed_ = true;
  }
}

}  // namespace starling
