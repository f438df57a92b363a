// The part of Membership that weighs what others say about third parties, and about ourselves.

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "peer/membership/member_states.h"
#include "peer/membership/membership.h"
#include "peer/runtime/host_port.h"
#include "peer/runtime/one_line.h"

namespace starling {
namespace {

// Rows of one message that are looked at; more is not what we send.
constexpr int kMaxRowsRead = 1024;
// Accusers of one rumour that are looked at.
constexpr int kMaxAccusers = 64;
// A contradiction cannot be further ahead of what we remember to have said.
constexpr uint64_t kMostForgotten = 1'000'000;

std::vector<PeerId> AccusersOf(const v1::Member& member) {
  std::vector<PeerId> accusers;
  for (int i = 0; i < std::min(member.suspecters_size(), kMaxAccusers); ++i) {
    accusers.emplace_back(member.suspecters(i));
  }
  return accusers;
}

}  // namespace

void Membership::LearnAll(absl::Time now,
                          const google::protobuf::RepeatedPtrField<v1::Member>& members) {
  for (int i = 0; i < std::min(members.size(), kMaxRowsRead); ++i) Learn(now, members[i]);
}

void Membership::Learn(absl::Time now, const v1::Member& member) {
  if (member.peer_id() == self_.peer_id()) return LearnOfSelf(member);
  const bool living = IsReachable(member);
  const bool suspect = member.state() == v1::PEER_STATE_SUSPECT;
  if (!living && !suspect && !IsDeparted(member)) return;
  const PeerId id(member.peer_id());
  if (id.empty()) return;
  Row* const known = Find(id);
  const bool moved = known == nullptr || known->member.address() != member.address();
  if (moved && !ValidateDialable(member.address()).ok()) return;
  if (known == nullptr) {
    if (!living && !suspect) return;
    Row* const row = Introduce(now, member);
    if (row == nullptr) return;
    News(id);
    if (suspect) LearnSuspicion(now, *row, member);
    StartProbe(now, *row);
    return;
  }

  Row& row = *known;
  if (member.incarnation() < row.member.incarnation()) return;
  const bool same_life = member.incarnation() == row.member.incarnation();
  if (same_life && row.verdict == Verdict::kLeft) return;
  if (member.state() == v1::PEER_STATE_LEFT) {
    row.member.set_incarnation(member.incarnation());
    SetVerdict(now, row, Verdict::kLeft, OneLine(member.reason()));
    return News(id);
  }
  // Which run it belongs to, only it can tell.
  if (same_life && row.verdict == Verdict::kIncompatible) return;
  if (same_life && member.step() > row.member.step()) TakeStep(now, row, member);
  if (same_life && member.refutations() < row.member.refutations()) return;
  if (!same_life || member.refutations() > row.member.refutations()) {
    Revive(now, row, member);
  } else if (living && member.version() > row.member.version()) {
    TakeWord(row, member);
    Show(now, row, "");
    News(id);
  }
  if (suspect) {
    LearnSuspicion(now, row, member);
  } else if (!living) {
    LearnDeath(now, row, member);
  } else if (row.verdict == Verdict::kDead || row.link == Link::kUntried) {
    // Somebody knows it better than we do: see for ourselves.
    LookAgain(now, row);
  }
}

// It has said something new: that it lives in a new incarnation, or after all.
void Membership::Revive(absl::Time now, Row& row, const v1::Member& member) {
  const bool restarted = member.incarnation() > row.member.incarnation();
  const bool was_gone = row.verdict != Verdict::kLiving && row.verdict != Verdict::kSuspect;
  row.member.set_incarnation(member.incarnation());
  row.member.set_refutations(member.refutations());
  row.member.set_step(member.step());
  TakeWord(row, member);
  row.accused = false;
  if (restarted) {
    row.rtt = absl::ZeroDuration();
    row.straggler = Straggler();
  }
  if (restarted || was_gone) {
    row.link = Link::kUntried;
    row.unanswered = 0;
    row.heard = now;
  }
  if (restarted && row.member.state() == v1::PEER_STATE_QUARANTINED) {
    // Its old process's sins are not its own.
    row.quarantined_until = absl::InfinitePast();
    SetState(now, row, v1::PEER_STATE_SUSPECT, "restarted");
  }
  SetVerdict(now, row, Verdict::kLiving, restarted ? "restarted" : "contradicts its death");
  News(PeerId(row.member.peer_id()));
}

void Membership::LearnSuspicion(absl::Time now, Row& row, const v1::Member& member) {
  const std::vector<PeerId> accusers = AccusersOf(member);
  if (row.verdict == Verdict::kSuspect) {
    bool news = false;
    for (const PeerId accuser : accusers) news |= row.suspicion->Accuse(accuser);
    if (news) News(PeerId(member.peer_id()));
    return;
  }
  if (row.verdict != Verdict::kLiving) return;
  Suspect(now, row, accusers,
          accusers.empty() ? "suspected by others"
                           : absl::StrCat("suspected by peer ", accusers.front().ToString()));
  // A few of those who hear of it look for themselves: one who is well learns at once what it has to
  // contradict, and one who is not is given up sooner.
  if (random_.Uniform() * static_cast<double>(members()) < options_.helpers) StartProbe(now, row);
}

void Membership::LearnDeath(absl::Time now, Row& row, const v1::Member& member) {
  if (row.verdict != Verdict::kLiving && row.verdict != Verdict::kSuspect) return;
  const bool heard_lately = row.verdict == Verdict::kLiving && row.link == Link::kGood &&
                            now - row.heard < options_.SuspicionMin(members());
  if (heard_lately) {
    // It is told of the rumour, and contradicts, or does not answer any more.
    row.accused = true;
    return LookAgain(now, row);
  }
  MarkDead(now, row, OneLine(member.reason()));
}

void Membership::LearnOfSelf(const v1::Member& member) {
  if (member.incarnation() > self_.incarnation()) {
    if (!superseded_.empty()) return;
    superseded_ =
        absl::StrCat("another process runs as peer ", PeerId(self_.peer_id()).ToString(),
                     " with a higher incarnation, at ", OneLine(member.address()));
    return;
  }
  if (member.incarnation() < self_.incarnation()) return;
  if (member.state() != v1::PEER_STATE_SUSPECT && member.state() != v1::PEER_STATE_DEAD) return;
  if (member.refutations() < self_.refutations() ||
      member.refutations() > self_.refutations() + kMostForgotten) {
    return;
  }
  self_.set_refutations(member.refutations() + 1);
  counters_.set_refutations(counters_.refutations() + 1);
  health_.Worse();
  News(PeerId(self_.peer_id()));
}

void Membership::LearnFromCoordinator(absl::Time now, const v1::Member& member) {
  if (member.state() == v1::PEER_STATE_SUSPECT) {
    // It has lost the way to the coordinator, and others see it: no suspicion of ours.
    v1::Member seen = member;
    seen.set_state(v1::PEER_STATE_JOINING);
    Learn(now, seen);
  } else if (member.state() != v1::PEER_STATE_DEAD) {
    Learn(now, member);
  }
  const PeerId id(member.peer_id());
  if (id.empty() || member.peer_id() == self_.peer_id()) return;
  Row* row = Find(id);
  if (row == nullptr) {
    // Failures from before our time, for people to see.
    if (!IsDeparted(member) || !ValidateDialable(member.address()).ok()) return;
    row = Introduce(now, member);
    if (row == nullptr) return;
    Believe(*row, member.state() == v1::PEER_STATE_LEFT ? Verdict::kLeft : Verdict::kDead);
    row->next_call = now + options_.heal_interval;
    ShowAs(*row, member.state());
    row->member.set_reason(OneLine(member.reason()));
    changed_ = true;
    return;
  }
  if (member.incarnation() < row->member.incarnation()) return;
  // Which slot it holds, it knows best itself.
  if (!row->met) row->member.set_slot(member.slot());
  const bool silent = !row->met || now - row->heard >= options_.SuspicionMin(members());
  if (member.state() == v1::PEER_STATE_DEAD && silent &&
      (row->verdict == Verdict::kLiving || row->verdict == Verdict::kSuspect)) {
    MarkDead(now, *row, absl::StrCat("coordinator: ", OneLine(member.reason())));
  }
}

}  // namespace starling
