// The push rule: the responder moves half way to the initiator, who does not move and learns
// nothing.
//
//   responder: own += (incoming - own) / 2       the reply only acknowledges
//
// The other direction of pull_mix: Gossiping SGD (Jin et al., 2016, arXiv 1611.04581) with pushes.
// A responder mixes with one sender after the other, so of two that arrive together the later
// weighs 1/2 and the earlier 1/4. The sum over the swarm is conserved in expectation only, and only
// if everybody is pushed to equally often; push_sum_mix needs no such thing.

#ifndef STARLING_PEER_GOSSIP_PUSH_MIX_H_
#define STARLING_PEER_GOSSIP_PUSH_MIX_H_

#include <memory>

#include "peer/gossip/mix_rule.h"

namespace starling {

std::shared_ptr<const MixRule> MakePushMix();

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_PUSH_MIX_H_
