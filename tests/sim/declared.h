// What an algorithm says of itself, as far as checkers go by it: the one place of this room that
// reads the parts of an Algorithm.

#ifndef STARLING_TESTS_SIM_DECLARED_H_
#define STARLING_TESTS_SIM_DECLARED_H_

#include <cstdint>

#include "proto/run.pb.h"

namespace starling {

struct Declared {
  // Peers ever say anything to each other about their parameters; also without gradients, so without
  // losses.
  bool communicates = false;
  bool communicates_without_gradients = false;
  // The sum over all peers and everything underway changes by gradients only.
  bool conserves_sum = false;
  // With gradients off, peers come nearer to each other; see HealAndJudge.
  bool contracts = false;
  // ... to half of the distance, after so many exchanges and rounds of each.
  double halves_in = 0;
  // With gradients off, peers that are equal stay so.
  bool keeps_agreement = true;
  // Of rounds alone: without faults, with gradients off and nothing under way, the sum over all peers is
  // what it was at the start; or, for push-sum, that of weight times values.
  bool keeps_sum = false;
  bool keeps_weighted_sum = false;
  // Push-sum weights go from peer to peer.
  bool moves_mass = false;
  // Parameters that a model must have at least.
  uint32_t least_parameters = 1;
  // One peer holds the centre and does not train.
  bool needs_centre = false;
  // Rounds that a trainer may have to wait for between two steps, each until its deadline at most.
  int rounds_waited_for = 0;
  // Steps between two rounds, of the rarest.
  uint64_t longest_period = 0;
};

// `config` is complete and valid.
Declared DeclaredBy(const v1::RunConfig& config);

}  // namespace starling

#endif  // STARLING_TESTS_SIM_DECLARED_H_
