// The visible table of algorithms. One row composes policies into one published method; adding a row
// in registry.cc is all that makes a new algorithm known to the daemon, the command line, the
// simulator and the conformance suite.

#ifndef STARLING_PEER_GOSSIP_REGISTRY_H_
#define STARLING_PEER_GOSSIP_REGISTRY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "peer/gossip/algorithm.h"
#include "proto/run.pb.h"

namespace starling {

// An option of an algorithm: what it does, its default and the range it must lie in.
struct AlgorithmOptionSpec {
  absl::string_view name;
  double default_value;
  double minimum;
  double maximum;
  bool minimum_allowed;  // false: the range is open below
  bool whole;            // must be a whole number
  absl::string_view help;
};

struct AlgorithmRow {
  absl::string_view name;
  absl::string_view summary;
  absl::string_view paper;
  std::vector<AlgorithmOptionSpec> options;
  // `values` hold every option of the row, in the row's order, checked.
  Algorithm (*make)(absl::Span<const double> values);
};

const std::vector<AlgorithmRow>& AlgorithmRegistry();

// Builds the algorithm a run configuration names.
// INVALID_ARGUMENT: unknown name or option (with the nearest known), or a value out of its range
// (with the range).
absl::StatusOr<Algorithm> MakeAlgorithm(const v1::AlgorithmConfig& config);

// The configuration with every option of its row written out, sorted by name. Same codes.
absl::StatusOr<v1::AlgorithmConfig> CompleteAlgorithmConfig(const v1::AlgorithmConfig& config);

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_REGISTRY_H_
