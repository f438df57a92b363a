// An immutable picture of the swarm as one peer sees it, handed from MembershipActor to others.

#ifndef STARLING_PEER_MEMBERSHIP_MEMBERSHIP_VIEW_H_
#define STARLING_PEER_MEMBERSHIP_MEMBERSHIP_VIEW_H_

#include <vector>

#include "absl/time/time.h"
#include "proto/peer.pb.h"

namespace starling {

struct MemberView {
  v1::Member member;
  // Smoothed round-trip time of control calls; zero if unknown.
  absl::Duration rtt;
  // How unusual its silence in training is: see straggler.h.
  double straggler = 0;
  // How long a step of training takes it; zero if unknown.
  absl::Duration step_time;
};

struct MembershipView {
  // The others, ascending by id, the departed included.
  std::vector<MemberView> others;
  // True once there is no reason to wait for a first word of the swarm: the coordinator has
  // answered, or every seed has answered or failed once, or there are neither.
  bool settled = false;
};

}  // namespace starling

#endif  // STARLING_PEER_MEMBERSHIP_MEMBERSHIP_VIEW_H_
