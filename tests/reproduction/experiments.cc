#include "tests/reproduction/experiments.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_split.h"
#include "peer/runtime/nearest_name.h"

// Every experiment: a function of this name in a file of this room makes it.
#define STARLING_EXPERIMENTS(MAKE) \
  MAKE(B1) \
  MAKE(B2) \
  MAKE(B3) \
  MAKE(B5) \
  MAKE(B6) \
  MAKE(B7) \
  MAKE(B8) \
  MAKE(B9) \
  MAKE(B10) \
  MAKE(B12) \
  MAKE(B13) \
  MAKE(B15) \
  MAKE(B16) \
  MAKE(B17) \
  MAKE(B18)

namespace starling {

#define STARLING_DECLARE(name) Experiment name();
STARLING_EXPERIMENTS(STARLING_DECLARE)
#undef STARLING_DECLARE

std::vector<Experiment> AllExperiments() {
#define STARLING_CALL(name) name(),
  return {STARLING_EXPERIMENTS(STARLING_CALL)};
#undef STARLING_CALL
}

absl::StatusOr<std::vector<Experiment>> ExperimentsNamed(absl::string_view names) {
  const std::vector<Experiment> all = AllExperiments();
  if (names == "all") return all;
  std::vector<std::string> known;
  for (const Experiment& experiment : all) known.push_back(experiment.id);
  std::vector<Experiment> chosen;
  for (const absl::string_view name : absl::StrSplit(names, ',')) {
    const size_t before = chosen.size();
    for (const Experiment& experiment : all) {
      if (experiment.id == name) chosen.push_back(experiment);
    }
    if (chosen.size() == before) return UnknownNameError("experiment", name, known);
  }
  return chosen;
}

}  // namespace starling
