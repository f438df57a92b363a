// Groups whose members all take their common mean, and what lies between groups.

#ifndef STARLING_PEER_TOPOLOGY_GROUPS_H_
#define STARLING_PEER_TOPOLOGY_GROUPS_H_

#include <cstdint>
#include <memory>

#include "peer/topology/topology.h"

namespace starling {

// All of these: group_size >= 1. The last group is shorter where group_size does not divide n; a
// group of one mixes with nobody.

// New groups by lot in every round and segment, all divisions equally likely; weights 1/(size of
// the group). Size 2 is NoLoCo's (Kolehmainen et al. 2025). O(n) a call.
std::unique_ptr<const Topology> MakeRandomGroups(uint64_t group_size);

// Always the same: members 0..G-1, G..2G-1, and so on. Never agrees beyond a group.
std::unique_ptr<const Topology> MakeGroups(uint64_t group_size);

// The groups of MakeGroups() seen as single members: those of equal rank within their groups mix by
// `base` over the groups that have this rank. Never agrees within a group. Ranks that are in
// equally many groups meet the same groups in a round. Called NAME_between_groups.
std::unique_ptr<const Topology> MakeBetweenGroups(uint64_t group_size,
                                                  std::unique_ptr<const Topology> base);

// The two by turns (Decent-DP's intra-node and inter-node rounds): even rounds within the groups,
// round 2k + 1 between them, being round k of `base`. If group_size divides n and `base` is exact
// after E rounds of n / group_size, exact after 2E. Called NAME_alternating_groups.
std::unique_ptr<const Topology> MakeAlternatingGroups(uint64_t group_size,
                                                      std::unique_ptr<const Topology> base);

}  // namespace starling

#endif  // STARLING_PEER_TOPOLOGY_GROUPS_H_
