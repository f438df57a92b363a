// Splits a training set into disjoint parts, one for each peer: a pure function of (labels, parts,
// seed), so that every peer computes the same split without talking.

#ifndef STARLING_MODEL_PARTITION_H_
#define STARLING_MODEL_PARTITION_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "model/dataset.h"

namespace starling {

// Indices of part `part` of `parts`, every index in exactly one part, no part empty.
// `dirichlet_alpha` 0: a random split into parts whose sizes differ by at most one. Positive: the
// share of each class that a part gets is drawn from Dirichlet(alpha).
// INVALID_ARGUMENT: parts is 0 or exceeds the number of examples, part >= parts, alpha is negative,
// above 1e6 or not a number, or alpha is positive and the data have no classes.
absl::StatusOr<std::vector<uint32_t>> PartitionOf(const Dataset& data, uint32_t parts,
                                                  uint32_t part, double dirichlet_alpha,
                                                  uint64_t seed);

}  // namespace starling

#endif  // STARLING_MODEL_PARTITION_H_
