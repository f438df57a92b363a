// The pull rule: the initiator moves towards the responder, who does not move.
//
//   initiator: own += strength * (reply - snapshot)      with reply = the responder's values
//
// Taking the difference against the snapshot of the request, and not averaging with whatever `own`
// is when the reply comes, keeps the local steps made meanwhile at full length.
//
// Strength 1/2 is Gossiping SGD (Jin et al., 2016, arXiv 1611.04581): half way, and the sum over
// the swarm is conserved in expectation if everybody is asked equally often. Towards a leader it is
// Leader SGD (Teng et al., 2019, arXiv 1905.10395): up, the workers follow sooner; at 1 they become
// copies of the leader.

#ifndef STARLING_PEER_GOSSIP_PULL_MIX_H_
#define STARLING_PEER_GOSSIP_PULL_MIX_H_

#include <memory>

#include "peer/gossip/mix_rule.h"

namespace starling {

// 0 < strength <= 1.
std::shared_ptr<const MixRule> MakePullMix(double strength = 0.5);

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_PULL_MIX_H_
