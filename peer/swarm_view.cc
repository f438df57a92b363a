#include "peer/swarm_view.h"

#include <algorithm>
#include <utility>

namespace starling {

SwarmView ReadView(const MembershipView& view, PeerId self, uint64_t total_steps) {
  SwarmView swarm;
  for (const MemberView& other : view.others) {
    const v1::Member& member = other.member;
    const PeerId id(member.peer_id());
    if (member.state() == v1::PEER_STATE_SUSPECT || member.state() == v1::PEER_STATE_DEAD) {
      swarm.silent.insert(id);
    }
    if (member.state() != v1::PEER_STATE_ALIVE) continue;
    swarm.training[id] = Donor{member.address(), other.step_time};
    swarm.residents[member.address()] = id;
    swarm.farthest_step = std::max(swarm.farthest_step, member.step());
    Contact contact(member.address());
    contact.centre = member.centre();
    contact.loss = member.loss();
    contact.straggler = other.straggler;
    contact.incarnation = member.incarnation();
    contact.step = member.step();
    contact.round_trip = other.rtt;
    contact.step_time = other.step_time;
    swarm.contacts.emplace(id, std::move(contact));
    if (member.centre()) continue;
    const bool finished = total_steps > 0 && member.step() >= total_steps;
    swarm.workers[id] = member.address();
    swarm.members[id] = RoundMember{member.address(), finished};
    if (finished) continue;
    ++swarm.still_training;
    if (id < self) ++swarm.rank;
  }
  return swarm;
}

}  // namespace starling
