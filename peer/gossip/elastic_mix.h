// The elastic rule: both peers pull each other with the same force.
//
//   d = alpha * (own - incoming);   responder: own -= d;   initiator: own += d
//
// alpha = 1/2 makes an undisturbed pair meet in the middle; the pair's difference shrinks by the
// factor 1 - 2 alpha. Elastic Gossip (Pramod, 2018, arXiv 1812.02407), the pairwise form of its
// update; the sum over the pair is conserved for any alpha.

#ifndef STARLING_PEER_GOSSIP_ELASTIC_MIX_H_
#define STARLING_PEER_GOSSIP_ELASTIC_MIX_H_

#include <memory>

#include "peer/gossip/mix_rule.h"

namespace starling {

// 0 < alpha <= 1.
std::shared_ptr<const MixRule> MakeElasticMix(double alpha);

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_ELASTIC_MIX_H_
