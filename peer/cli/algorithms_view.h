// What `starling algorithms` tells people: the table of all, one in full, and docs/algorithms.md.
// Generated from the registries of algorithms and topologies. Pure.

#ifndef STARLING_PEER_CLI_ALGORITHMS_VIEW_H_
#define STARLING_PEER_CLI_ALGORITHMS_VIEW_H_

#include <string>

#include "peer/algorithms/row.h"

namespace starling {

// A block for each algorithm, no line wider than 80 columns, and what the columns mean.
std::string RenderAlgorithms();

// Everything about one, no line wider than 100 columns.
std::string RenderAlgorithm(const AlgorithmRow& row);

// The whole of docs/algorithms.md.
std::string AlgorithmsMarkdown();

}  // namespace starling

#endif  // STARLING_PEER_CLI_ALGORITHMS_VIEW_H_
