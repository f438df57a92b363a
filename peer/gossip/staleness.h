// How stale a worker is, as a number z from 0, fresh, to 1: what staleness_mix weighs.
//
// StalenessOf needs only the worker's own step count, and is what the daemon uses. DistanceScore
// and StalenessOfScore are the paper's way (Dynamic Weighting, arXiv 2409.09242), which has to
// remember distances; here to compare with.

#ifndef STARLING_PEER_GOSSIP_STALENESS_H_
#define STARLING_PEER_GOSSIP_STALENESS_H_

#include <cstdint>

#include "absl/types/span.h"

namespace starling {

// Of a worker whose last exchange was `steps_since_last` steps ago, when a fresh one makes `unit`
// steps between two at most. It has missed steps_since_last / unit - 1 of them; up to `fresh`
// missed it is fresh, from `stale` (> fresh) on it is entirely stale, in between in proportion. 0
// if unit is 0.
double StalenessOf(uint64_t steps_since_last, uint64_t unit, double fresh = 1, double stale = 5);

// Slope of the straight line that fits the logarithms of a worker's distances from the centre at
// its last exchanges best, oldest first: of two, their difference. Strongly negative: the worker is
// being pulled home after an absence. 0 if there are less than two.
double DistanceScore(absl::Span<const double> log_distances);

// 1 below `threshold` (< 0), 0 above 0, linear in between.
double StalenessOfScore(double score, double threshold);

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_STALENESS_H_
