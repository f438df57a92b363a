#include "peer/algorithms/row.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/runtime/check.h"

namespace starling {

double AlgorithmOptions::operator[](absl::string_view name) const {
  for (size_t i = 0; i < specs_.size(); ++i) {
    if (specs_[i].name == name) return values_[i];
  }
  STARLING_CHECK(!"option of another row");
  return 0;
}

AlgorithmOptionSpec PeriodOption(double default_value) {
  return {"tau", default_value, 1, 1e9, true, true,
          "steps between communications; up: fewer bytes, looser agreement"};
}

AlgorithmOptionSpec ProbabilityOption(double default_value) {
  return {"p", default_value, 0, 1, false, false,
          "probability of starting an exchange at a communication step; up: closer agreement, more "
          "bytes"};
}

AlgorithmOptionSpec FlagOption(absl::string_view name, bool default_value, absl::string_view help) {
  return {name, default_value ? 1.0 : 0.0, 0, 1, true, true, help};
}

RoundSpec PlainRounds(std::unique_ptr<const Topology> topology, uint64_t period) {
  RoundSpec spec;
  spec.period = period;
  spec.topology = std::move(topology);
  spec.outer = [](size_t, bool) { return MakePlainOuter(); };
  return spec;
}

absl::Status CheckTopology(absl::string_view algorithm, const Topology& topology,
                           const AlgorithmContext& context) {
  if (context.workers == 0) return absl::OkStatus();
  const absl::Status supports = topology.Supports(context.workers);
  if (supports.ok()) return supports;
  return absl::InvalidArgumentError(
      absl::StrCat("algorithm \"", algorithm, "\": ", supports.message()));
}

absl::Status CheckOuterNesterov(absl::string_view algorithm, double rate, double momentum) {
  const double limit = 2 * (1 + momentum) / (1 + 2 * momentum);
  if (rate < limit) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("algorithm \"", algorithm, "\": rate ", rate,
                                                 " with momentum ", momentum,
                                                 " flies apart; use a rate below ", limit));
}

}  // namespace starling
