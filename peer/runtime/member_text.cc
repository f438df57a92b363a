#include "peer/runtime/member_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "peer/runtime/ids.h"

namespace starling {

absl::string_view StateName(v1::PeerState state) {
  if (!v1::PeerState_IsValid(state)) return "UNKNOWN";
  return absl::StripPrefix(v1::PeerState_Name(state), "PEER_STATE_");
}

std::string Describe(const v1::Member& member) {
  return absl::StrCat("peer ", PeerId(member.peer_id()).ToString(), " at ", member.address(),
                      " (slot ", member.slot(), ")");
}

v1::PeerStatus ToPeerStatus(const v1::Member& member) {
  v1::PeerStatus status;
  status.set_peer_id(PeerId(member.peer_id()).ToString());
  status.set_address(member.address());
  status.set_state(member.state());
  status.set_incarnation(member.incarnation());
  status.set_step(member.step());
  status.set_slot(member.slot());
  status.set_reason(member.reason());
  return status;
}

}  // namespace starling
