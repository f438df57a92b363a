// Push-sum: values travel one way, with a weight that keeps the consensus honest.
//
// Every worker holds a weight, its mass, and half of it travels with its values. Whoever receives
// them takes the mean that the two masses demand:
//
//   responder: own += f * (incoming - own),   f = incoming mass / (own mass + incoming mass)
//              own mass += incoming mass                          the reply only acknowledges
//
// So the sum of mass times values never changes, and neither does the sum of the masses (that of
// messages under way included), however one-sided the traffic is: all agree on the weighted mean of
// where they began. GoSGD (Blot et al., 2016, arXiv 1611.09726), SGP (Assran et al., 2019, arXiv
// 1811.10792). The plain sum over the values does change.

#ifndef STARLING_PEER_GOSSIP_PUSH_SUM_MIX_H_
#define STARLING_PEER_GOSSIP_PUSH_SUM_MIX_H_

#include <memory>

#include "peer/gossip/mix_rule.h"

namespace starling {

// Respond ignores values that come without a mass (terms.incoming_mass not positive or not finite):
// they must not count. Refusing such a request is the caller's job.
std::shared_ptr<const MixRule> MakePushSumMix();

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_PUSH_SUM_MIX_H_
