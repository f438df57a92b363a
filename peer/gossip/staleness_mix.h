// The elastic rule with two strengths: who was out of touch moves more, and pulls less.
//
//   d = own - incoming                                          travels as it is
//   responder: own -= h2 * d,   h2 = alpha (1 - z)              the centre, or the fresh side
//   initiator: own += h1 * d,   h1 = alpha + (1 - alpha) z      the worker that may be stale
//
// z in [0, 1] is the initiator's staleness (staleness.h). Fresh (0) it is the elastic rule of
// strength alpha; entirely stale (1) the initiator becomes a copy of the responder, who ignores it.
// The sum over the pair changes by (h1 - h2) d, which is z d: nothing unless somebody is stale.
//
// Dynamic Weighting (Xu and Carr, 2024, arXiv 2409.09242), whose full text we have not read: that
// the two strengths differ and vary is the paper's, how exactly is ours.

#ifndef STARLING_PEER_GOSSIP_STALENESS_MIX_H_
#define STARLING_PEER_GOSSIP_STALENESS_MIX_H_

#include <memory>

#include "peer/gossip/mix_rule.h"

namespace starling {

// 0 < alpha <= 1. Staleness outside [0, 1] counts as the nearer end, NaN as fresh.
std::shared_ptr<const MixRule> MakeStalenessMix(double alpha);

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_STALENESS_MIX_H_
