// The pull rule: the initiator moves half way to the responder, who does not move.
//
//   initiator: own += (reply - snapshot) / 2      with reply = the responder's values
//
// Taking the difference against the snapshot of the request, and not averaging with whatever `own`
// is when the reply comes, keeps the local steps made meanwhile at full length. Gossiping SGD
// (Jin et al., 2016, arXiv 1611.04581). The sum over the pair is conserved in expectation only.

#ifndef STARLING_PEER_GOSSIP_PULL_MIX_H_
#define STARLING_PEER_GOSSIP_PULL_MIX_H_

#include <memory>

#include "peer/gossip/mix_rule.h"

namespace starling {

std::shared_ptr<const MixRule> MakePullMix();

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_PULL_MIX_H_
