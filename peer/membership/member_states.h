// Groups of member states, as membership asks for them.

#ifndef STARLING_PEER_MEMBERSHIP_MEMBER_STATES_H_
#define STARLING_PEER_MEMBERSHIP_MEMBER_STATES_H_

#include "proto/peer.pb.h"

namespace starling {

// JOINING or ALIVE: it answers, and may be chosen.
inline bool IsReachable(const v1::Member& member) {
  return member.state() == v1::PEER_STATE_JOINING || member.state() == v1::PEER_STATE_ALIVE;
}

// Whoever says so counts it as a member.
inline bool SaysLiving(const v1::Member& member) {
  return IsReachable(member) || member.state() == v1::PEER_STATE_SUSPECT ||
         member.state() == v1::PEER_STATE_QUARANTINED;
}

inline bool IsDeparted(const v1::Member& member) {
  return member.state() == v1::PEER_STATE_DEAD || member.state() == v1::PEER_STATE_LEFT;
}

}  // namespace starling

#endif  // STARLING_PEER_MEMBERSHIP_MEMBER_STATES_H_
