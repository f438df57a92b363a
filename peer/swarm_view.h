// A membership view as those read it who choose peers. Pure.

#ifndef STARLING_PEER_SWARM_VIEW_H_
#define STARLING_PEER_SWARM_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "peer/gossip/gossip_actor.h"
#include "peer/membership/membership_view.h"
#include "peer/rounds/rounds_actor.h"
#include "peer/runtime/ids.h"
#include "peer/state/joiner.h"

namespace starling {

// Of the other members that are ALIVE, but for `silent`.
struct SwarmView {
  std::map<PeerId, Donor> training;        // all of them
  std::map<std::string, PeerId> residents;  // who lives at their addresses
  std::map<PeerId, std::string> workers;   // of those that do not hold a centre
  std::map<PeerId, Contact> contacts;      // for exchanges
  std::map<PeerId, RoundMember> members;   // for rounds: the workers
  std::set<PeerId> silent;                 // others that do not answer: SUSPECT or DEAD
  uint64_t farthest_step = 0;              // the most steps that any of them has made
  size_t still_training = 0;               // workers that have not made all their steps
  size_t rank = 0;                         // of `self` among itself and those, by id

  // Empty: nobody who is known.
  PeerId PeerAt(const std::string& address) const {
    const auto found = residents.find(address);
    return found == residents.end() ? PeerId() : found->second;
  }
};

// `total_steps` 0: nobody ever finishes.
SwarmView ReadView(const MembershipView& view, PeerId self, uint64_t total_steps);

}  // namespace starling

#endif  // STARLING_PEER_SWARM_VIEW_H_
