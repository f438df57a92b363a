// The visible table of algorithms. One row composes policies into one published method; a new one is a
// file with its row and its name in the list of registry.cc. The daemon, the command line, the
// simulator, the conformance suite and docs/algorithms.md learn of it from here.

#ifndef STARLING_PEER_ALGORITHMS_REGISTRY_H_
#define STARLING_PEER_ALGORITHMS_REGISTRY_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "peer/algorithms/row.h"
#include "peer/gossip/algorithm.h"
#include "proto/run.pb.h"

namespace starling {

const std::vector<AlgorithmRow>& AlgorithmRegistry();

// Null if there is none of that name.
const AlgorithmRow* FindAlgorithm(absl::string_view name);

// Builds the algorithm that a run configuration names.
// INVALID_ARGUMENT: unknown name or option (with the nearest known), a value out of its range (with the
// range), or values that do not go together or not with the number of workers (with what would).
absl::StatusOr<Algorithm> MakeAlgorithm(const v1::AlgorithmConfig& config,
                                        const AlgorithmContext& context = {});

// The configuration with every option of its row written out, sorted by name. Same codes, apart from
// what depends on the workers.
absl::StatusOr<v1::AlgorithmConfig> CompleteAlgorithmConfig(const v1::AlgorithmConfig& config);

// INVALID_ARGUMENT: the algorithm brings a part of the optimizer itself and needs another one; names both.
absl::Status CheckOptimizer(absl::string_view algorithm, absl::string_view optimizer);

}  // namespace starling

#endif  // STARLING_PEER_ALGORITHMS_REGISTRY_H_
