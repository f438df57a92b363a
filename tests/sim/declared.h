// What an algorithm says of itself, as far as checkers go by it: the one place of this room that
// reads the parts of an Algorithm.

#ifndef STARLING_TESTS_SIM_DECLARED_H_
#define STARLING_TESTS_SIM_DECLARED_H_

#include "proto/run.pb.h"

namespace starling {

struct Declared {
  // Peers ever say anything to each other about their parameters.
  bool communicates = false;
  // The sum over all peers and everything underway changes by gradients only.
  bool conserves_sum = false;
  // With gradients off, peers come nearer to each other; see ContractionChecker.
  bool contracts = false;
  // With gradients off, peers that are equal stay so.
  bool keeps_agreement = true;
};

// `config` is complete and valid.
Declared DeclaredBy(const v1::RunConfig& config);

}  // namespace starling

#endif  // STARLING_TESTS_SIM_DECLARED_H_
