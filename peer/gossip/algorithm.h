// A training algorithm as this daemon runs it: a composition of small policies.
//
//   exchanges   schedule x selector x mix rule          pairs of peers, whenever they like
//   rounds      period x topology x outer optimizer     all members, in step with each other
//   tethers     pulls towards remembered leaders, at every step
//   elastic     how the learning rate follows the number of members
//
// Any part may be absent. README.md has the table of who uses what.

#ifndef STARLING_PEER_GOSSIP_ALGORITHM_H_
#define STARLING_PEER_GOSSIP_ALGORITHM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "peer/gossip/elastic_controller.h"
#include "peer/gossip/mix_rule.h"
#include "peer/gossip/peer_selector.h"
#include "peer/gossip/schedule.h"
#include "peer/rounds/round_spec.h"

namespace starling {

struct Algorithm {
  std::string name;

  // Pair exchanges. Null mix: none, and the other two may be null as well.
  std::shared_ptr<const Schedule> schedule;
  std::shared_ptr<const PeerSelector> selector;
  std::shared_ptr<const MixRule> mix;

  // At most two, in the order in which a step meets them: gradients first.
  std::vector<RoundSpec> rounds;

  // At every step x moves this share of the way to the values that the last exchange with the tether
  // brought. One entry per tether; none: no tethers.
  std::vector<double> tethers;

  // Steps between exchanges that a fresh worker makes at most; staleness counts multiples of it. 0: the
  // rule does not weigh staleness.
  uint64_t staleness_unit = 0;

  // Push-sum weight that was sent and not acknowledged is taken back. False only to show what happens.
  bool returns_mass = true;

  ElasticOptions elastic;

  // One peer holds the centre and does not train.
  bool needs_centre = false;
  // Workers read another part of the data after each pass over theirs (GossipGraD's ring of samples).
  bool rotates_data = false;
  // The parameters are cut into at least so many shards.
  uint32_t segments = 1;
};

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_ALGORITHM_H_
