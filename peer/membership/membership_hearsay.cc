// The part of Membership that weighs what others say about third parties.

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "peer/membership/member_states.h"
#include "peer/membership/membership.h"
#include "peer/runtime/host_port.h"
#include "peer/runtime/one_line.h"

namespace starling {

void Membership::Learn(absl::Time now, const v1::Member& member) {
  if (member.peer_id() == self_.peer_id()) return NoteOwnIncarnation(member);
  if (member.peer_id() == 0 || !ValidateDialable(member.address()).ok()) return;
  const auto found = rows_.find(PeerId(member.peer_id()));
  if (found == rows_.end()) {
    if (!SaysLiving(member)) return;
    if (Row* row = Introduce(now, member); row != nullptr) Ping(now, *row);
    return;
  }
  Row& row = found->second;
  if (member.incarnation() < row.member.incarnation()) return;
  const bool newer = member.incarnation() > row.member.incarnation();
  if (member.state() == v1::PEER_STATE_LEFT) {
    row.member.set_incarnation(member.incarnation());
    SetState(now, row, v1::PEER_STATE_LEFT, OneLine(member.reason()));
    return;
  }
  if (!newer) row.member.set_step(std::max(row.member.step(), member.step()));
  if (!SaysLiving(member)) return;
  // Somebody knows it better than we do: see for ourselves.
  const bool worth_a_call = newer || row.member.state() == v1::PEER_STATE_DEAD;
  if (worth_a_call && now - row.pinged >= options_.ping_interval) {
    if (newer) row.member.set_address(member.address());
    Ping(now, row);
  }
}

void Membership::LearnFromCoordinator(absl::Time now, const v1::Member& member) {
  Learn(now, member);
  const PeerId id(member.peer_id());
  if (id.empty() || member.peer_id() == self_.peer_id()) return;
  auto found = rows_.find(id);
  if (found == rows_.end()) {
    // Failures from before our time, for people to see.
    if (!IsDeparted(member) || !ValidateDialable(member.address()).ok()) return;
    Row* row = Introduce(now, member);
    if (row == nullptr) return;
    row->next_ping = now + options_.heal_interval;
    row->member.set_state(member.state());
    row->member.set_reason(OneLine(member.reason()));
    changed_ = true;
    return;
  }
  Row& row = found->second;
  if (member.incarnation() < row.member.incarnation()) return;
  // Which slot it holds, it knows best itself.
  if (!row.met) row.member.set_slot(member.slot());
  const bool silent = !row.met || now - row.heard >= options_.dead_after;
  if (member.state() == v1::PEER_STATE_DEAD && silent && !IsDeparted(row.member)) {
    SetState(now, row, v1::PEER_STATE_DEAD,
             absl::StrCat("coordinator: ", OneLine(member.reason())));
    row.next_ping = now + options_.heal_interval;
  }
}

}  // namespace starling
