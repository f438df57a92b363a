// `starling algorithms --output=json`: what the tables say, for programs. Pure.

#ifndef STARLING_PEER_CLI_ALGORITHMS_JSON_H_
#define STARLING_PEER_CLI_ALGORITHMS_JSON_H_

#include <string>
#include <vector>

#include "peer/algorithms/row.h"

namespace starling {

// One document {"algorithms": [...]}, with the fields that peer/cli/README.md lists.
std::string AlgorithmsJson(const std::vector<const AlgorithmRow*>& rows);

}  // namespace starling

#endif  // STARLING_PEER_CLI_ALGORITHMS_JSON_H_
