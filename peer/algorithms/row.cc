#include "peer/algorithms/row.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/runtime/check.h"
#include "peer/topology/everyone.h"
#include "peer/topology/topology_registry.h"

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

AlgorithmOptionSpec TopologyOption(double default_value) {
  return {"topology", default_value, 0, 19, true, true,
          "1 everybody, 2 ring, 3 lazy ring, 4 pairs along a ring, 5 one-peer exponential; "
          "docs/algorithms.md has them all"};
}

RoundSpec PlainRounds(std::unique_ptr<const Topology> topology, uint64_t period) {
  RoundSpec spec;
  spec.period = period;
  spec.topology = std::move(topology);
  spec.outer = [](size_t, bool) { return MakePlainOuter(); };
  return spec;
}

std::vector<RoundSpec> AverageGradients(uint64_t resync) {
  std::vector<RoundSpec> rounds(1);
  rounds.front().payload = RoundSpec::Payload::kGradient;
  rounds.front().topology = MakeEveryone();
  if (resync > 0) rounds.push_back(PlainRounds(MakeEveryone(), resync));
  return rounds;
}

absl::StatusOr<RoundSpec> RoundsAlongTopology(const AlgorithmOptions& options,
                                              const AlgorithmContext& context, uint64_t period) {
  auto topology = MakeTopology(options.Whole("topology"));
  if (!topology.ok()) return topology.status();
  if (absl::Status status = CheckTopology(**topology, context); !status.ok()) return status;
  return PlainRounds(*std::move(topology), period);
}

absl::Status CheckTopology(const Topology& topology, const AlgorithmContext& context) {
  return context.workers == 0 ? absl::OkStatus() : topology.Supports(context.workers);
}

absl::Status CheckOuterNesterov(double rate, double momentum) {
  const double limit = 2 * (1 + momentum) / (1 + 2 * momentum);
  if (rate < limit) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("rate ", rate, " with momentum ", momentum,
                                                 " flies apart; use a rate below ", limit));
}

}  // namespace starling
