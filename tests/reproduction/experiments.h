// The list of experiments. One is a function that makes it, in a file of its own, and a line here.

#ifndef STARLING_TESTS_REPRODUCTION_EXPERIMENTS_H_
#define STARLING_TESTS_REPRODUCTION_EXPERIMENTS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/reproduction/experiment.h"

namespace starling {

// In the order of their numbers.
std::vector<Experiment> AllExperiments();

// "B1", "B1,B17" or "all". INVALID_ARGUMENT: an unknown name (with the nearest known).
absl::StatusOr<std::vector<Experiment>> ExperimentsNamed(absl::string_view names);

}  // namespace starling

#endif  // STARLING_TESTS_REPRODUCTION_EXPERIMENTS_H_
