// The configurations under which every row of the registry is tested: its defaults, and each of its
// options at both ends of its range.

#ifndef STARLING_TESTS_CONFORMANCE_REGISTRY_BUILDS_H_
#define STARLING_TESTS_CONFORMANCE_REGISTRY_BUILDS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "peer/algorithms/registry.h"

namespace starling {

inline std::vector<std::string> RowNames(bool (*wanted)(const Algorithm&)) {
  std::vector<std::string> names;
  for (const AlgorithmRow& row : AlgorithmRegistry()) {
    v1::AlgorithmConfig config;
    config.set_name(std::string(row.name));
    const absl::StatusOr<Algorithm> algorithm = MakeAlgorithm(config);
    if (algorithm.ok() && wanted(*algorithm)) names.emplace_back(row.name);
  }
  return names;
}

struct Build {
  v1::AlgorithmConfig config;
  std::string option;  // the one that is at an end of its range; empty: none is
  absl::StatusOr<Algorithm> algorithm;
};

// The defaults come first.
inline std::vector<Build> BuildsOf(const std::string& name, const AlgorithmContext& context = {}) {
  const AlgorithmRow& row = *FindAlgorithm(name);
  v1::AlgorithmConfig defaults;
  defaults.set_name(name);
  std::vector<Build> builds;
  builds.push_back({defaults, "", MakeAlgorithm(defaults, context)});
  for (const AlgorithmOptionSpec& option : row.options) {
    const double low = option.minimum_allowed
                           ? option.minimum
                           : option.minimum + (option.maximum - option.minimum) / 1000;
    for (const double value : {low, option.maximum}) {
      v1::AlgorithmConfig config = defaults;
      v1::AlgorithmOption* given = config.add_options();
      given->set_name(std::string(option.name));
      given->set_value(value);
      builds.push_back({config, std::string(option.name), MakeAlgorithm(config, context)});
    }
  }
  return builds;
}

}  // namespace starling

#endif  // STARLING_TESTS_CONFORMANCE_REGISTRY_BUILDS_H_
