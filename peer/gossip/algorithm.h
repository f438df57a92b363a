// A gossip algorithm as this daemon runs it: a composition of small policies.

#ifndef STARLING_PEER_GOSSIP_ALGORITHM_H_
#define STARLING_PEER_GOSSIP_ALGORITHM_H_

#include <memory>
#include <string>

#include "peer/gossip/mix_rule.h"
#include "peer/gossip/peer_selector.h"
#include "peer/gossip/schedule.h"

namespace starling {

struct Algorithm {
  std::string name;
  std::unique_ptr<Schedule> schedule;
  std::unique_ptr<PeerSelector> selector;
  // Null for algorithms that never exchange.
  std::shared_ptr<const MixRule> mix;
};

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_ALGORITHM_H_
