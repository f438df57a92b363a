// The part of Membership that keeps the rows: what members say of themselves, and what is shown of them.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/membership/member_states.h"
#include "peer/membership/membership.h"
#include "peer/runtime/host_port.h"

namespace starling {

Membership::Row* Membership::Find(PeerId id) {
  const auto found = rows_.find(id);
  return found == rows_.end() ? nullptr : &found->second;
}

// The row of whoever speaks to us, with what it says of itself. Null if it is not to be believed or
// not to be chosen.
Membership::Row* Membership::Contact(absl::Time now, const v1::Member& sender, uint64_t run_id) {
  const PeerId id(sender.peer_id());
  if (sender.peer_id() == self_.peer_id()) LearnOfSelf(sender);
  if (id.empty() || sender.peer_id() == self_.peer_id()) return nullptr;
  Row* row = Find(id);
  const bool moved = row == nullptr || row->member.address() != sender.address();
  if (moved && !ValidateDialable(sender.address()).ok()) return nullptr;
  if (row == nullptr) {
    row = Introduce(now, sender);
    if (row == nullptr) return nullptr;
    News(id);
  }
  v1::Member& known = row->member;
  if (sender.incarnation() < known.incarnation()) return nullptr;
  const bool same_life = sender.incarnation() == known.incarnation();
  if (same_life && row->verdict == Verdict::kLeft) return nullptr;
  if (!same_life || sender.refutations() > known.refutations()) {
    Revive(now, *row, sender);
  } else if (sender.version() >= known.version()) {
    if (sender.version() > known.version()) News(id);
    TakeWord(*row, sender);
  }
  TakeStep(now, *row, sender);
  row->heard = now;
  row->met = true;
  if (run_id != 0 && !run_.empty() && run_id != run_.value()) {
    rumours_.Drop(id);
    SetVerdict(now, *row, Verdict::kIncompatible,
               absl::StrCat("belongs to run ", RunId(run_id).ToString(), ", we to ",
                            run_.ToString()));
    row->next_call = now + options_.heal_interval;
    return nullptr;
  }
  if (row->verdict == Verdict::kIncompatible) {
    Believe(*row, Verdict::kLiving);
    row->link = Link::kUntried;
  }
  return row;
}

// A new candidate; null if there are too many already.
Membership::Row* Membership::Introduce(absl::Time now, const v1::Member& member) {
  // Counting is left for when it matters: it costs a walk for each newcomer of a large swarm.
  if (rows_.size() >= options_.max_members) {
    const size_t others = std::count_if(rows_.begin(), rows_.end(), [](const auto& entry) {
      return !IsDeparted(entry.second.member);
    });
    if (others >= options_.max_members) return nullptr;
  }
  const PeerId id(member.peer_id());
  Row& row = rows_[id];
  ++members_;
  ++shown_[row.member.state()];
  row.member.set_peer_id(member.peer_id());
  row.member.set_incarnation(member.incarnation());
  row.member.set_refutations(member.refutations());
  row.member.set_step(member.step());
  row.member.set_loss(member.loss());
  TakeWord(row, member);
  row.since = row.heard = row.next_call = now;
  ring_.Insert(id);
  return &row;
}

// What it says of itself, perhaps passed on.
void Membership::TakeWord(Row& row, const v1::Member& member) {
  v1::Member& known = row.member;
  changed_ |= known.slot() != member.slot() || known.address() != member.address() ||
              known.centre() != member.centre();
  known.set_version(member.version());
  known.set_address(member.address());
  known.set_slot(member.slot());
  known.set_centre(member.centre());
  if (member.state() == v1::PEER_STATE_ALIVE || member.state() == v1::PEER_STATE_JOINING) {
    row.told = member.state();
  }
}

void Membership::TakeStep(absl::Time now, Row& row, const v1::Member& member) {
  row.member.set_step(member.step());
  row.member.set_loss(member.loss());
  row.straggler.OnStep(now, member.step());
  if (!IsReachable(row.member)) row.straggler.Interrupt();
}

// It answered us.
void Membership::Reached(absl::Time now, Row& row, absl::Duration round_trip) {
  row.heard = now;
  row.met = true;
  row.answered = true;
  row.link = Link::kGood;
  row.unanswered = 0;
  row.failure.clear();
  // Who took longer than anybody is waited for stood still: that says nothing of the way there.
  round_trip = std::min(round_trip, kLongestStretch * options_.ping_timeout);
  row.rtt = row.rtt == absl::ZeroDuration() ? round_trip : 0.875 * row.rtt + 0.125 * round_trip;
  round_trips_.Add(round_trip);
  if (const auto probe = probe_of_.find(PeerId(row.member.peer_id())); probe != probe_of_.end()) {
    ProbeSucceeded(probe->second);
  }
}

void Membership::SetVerdict(absl::Time now, Row& row, Verdict verdict, const std::string& reason) {
  Believe(row, verdict);
  if (verdict != Verdict::kSuspect) row.suspicion.reset();
  if (verdict != Verdict::kLiving) row.accused = false;
  Show(now, row, reason);
}

void Membership::Believe(Row& row, Verdict verdict) {
  members_ -= IsMember(row);
  row.verdict = verdict;
  members_ += IsMember(row);
}

void Membership::ShowAs(Row& row, v1::PeerState state) {
  --shown_[row.member.state()];
  row.member.set_state(state);
  ++shown_[state];
}

// The shown state follows from everything else.
void Membership::Show(absl::Time now, Row& row, const std::string& reason) {
  switch (row.verdict) {
    case Verdict::kDead:
      return SetState(now, row, v1::PEER_STATE_DEAD, reason);
    case Verdict::kLeft:
      return SetState(now, row, v1::PEER_STATE_LEFT, reason);
    case Verdict::kIncompatible:
      return SetState(now, row, v1::PEER_STATE_INCOMPATIBLE, reason);
    case Verdict::kSuspect:
      return SetState(now, row, v1::PEER_STATE_SUSPECT, reason);
    case Verdict::kLiving:
      break;
  }
  if (row.link == Link::kBroken) {
    return SetState(now, row, v1::PEER_STATE_SUSPECT,
                    absl::StrCat("answers others, not us (", row.failure, ")"));
  }
  if (row.link == Link::kUntried) {
    // A candidate stays invisible, and the dead stay dead, until they answer.
    if (IsReachable(row.member)) SetState(now, row, v1::PEER_STATE_SUSPECT, reason);
    return;
  }
  if (now < row.quarantined_until) {
    return SetState(now, row, v1::PEER_STATE_QUARANTINED, row.quarantine);
  }
  SetState(now, row, row.told, reason);
}

void Membership::SetState(absl::Time now, Row& row, v1::PeerState state, std::string reason) {
  const v1::PeerState from = row.member.state();
  if (from == state) return;
  ShowAs(row, state);
  if (!IsReachable(row.member)) row.straggler.Interrupt();
  row.member.set_reason(std::move(reason));
  row.since = now;
  transitions_.push_back({row.member, from});
  changed_ = true;
}

void Membership::Forget(std::map<PeerId, Row>::iterator row) {
  if (const auto probe = probe_of_.find(row->first); probe != probe_of_.end()) {
    DropProbe(probe->second);
  }
  ring_.Remove(row->first);
  rumours_.Drop(row->first);
  members_ -= IsMember(row->second);
  --shown_[row->second.member.state()];
  rows_.erase(row);
  changed_ = true;
}

void Membership::ForgetDeparted(absl::Time now) {
  const auto gone = [](const Row& row) {
    return row.verdict == Verdict::kDead || row.verdict == Verdict::kLeft;
  };
  size_t departed = 0;
  for (auto it = rows_.begin(); it != rows_.end();) {
    const auto here = it++;
    if (!gone(here->second)) continue;
    if (now - here->second.since >= options_.departed_kept) {
      Forget(here);
    } else {
      ++departed;
    }
  }
  for (; departed > options_.max_departed; --departed) {
    auto oldest = rows_.end();
    for (auto it = rows_.begin(); it != rows_.end(); ++it) {
      if (!gone(it->second)) continue;
      if (oldest == rows_.end() || it->second.since < oldest->second.since) oldest = it;
    }
    Forget(oldest);
  }
}

}  // namespace starling
