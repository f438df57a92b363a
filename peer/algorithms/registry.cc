#include "peer/algorithms/registry.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "peer/runtime/nearest_name.h"

// Every algorithm: a function of this name in a file of this room makes its row.
#define STARLING_ALGORITHMS(ROW) \
  ROW(NoneRow)                   \
  ROW(AllreduceSgdRow)           \
  ROW(LocalSgdRow)               \
  ROW(SlowMoRow)                 \
  ROW(DpsgdRow)                  \
  ROW(DecentDpRow)               \
  ROW(GossipingSgdRow)           \
  ROW(ElasticGossipRow)          \
  ROW(GoSgdRow)                  \
  ROW(EasgdRow)                  \
  ROW(EamsgdRow)                 \
  ROW(DynamicEasgdRow)           \
  ROW(LsgdRow)                   \
  ROW(SgpRow)                    \
  ROW(OsgpRow)                   \
  ROW(AdpsgdRow)                 \
  ROW(SwarmSgdRow)               \
  ROW(GossipGradRow)             \
  ROW(GossipPgaRow)              \
  ROW(GossipAgaRow)              \
  ROW(CrossoverSgdRow)           \
  ROW(DecentLamRow)              \
  ROW(DynamicMinibatchRow)       \
  ROW(LasgdRow)                  \
  ROW(DiLoCoRow)                 \
  ROW(StreamingDiLoCoRow)        \
  ROW(NoLoCoRow)                 \
  ROW(GaslocRow)

namespace starling {

#define STARLING_DECLARE(name) AlgorithmRow name();
STARLING_ALGORITHMS(STARLING_DECLARE)
#undef STARLING_DECLARE

namespace {

std::string RangeOf(const AlgorithmOptionSpec& option) {
  return absl::StrCat(option.whole ? "a whole number in " : "", option.minimum_allowed ? "[" : "(",
                      option.minimum, ", ", option.maximum, "]");
}

absl::Status UnknownOptionError(const AlgorithmRow& row, absl::string_view name) {
  if (row.options.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("algorithm \"", row.name,
                                                   "\" has no options, but is given \"",
                                                   absl::CHexEscape(name.substr(0, 64)), "\""));
  }
  std::vector<std::string> known;
  for (const AlgorithmOptionSpec& option : row.options) known.emplace_back(option.name);
  return UnknownNameError(absl::StrCat("option of algorithm ", row.name), name, known);
}

// Values in the row's order, defaults filled in.
absl::StatusOr<std::vector<double>> ValuesFor(const AlgorithmRow& row,
                                              const v1::AlgorithmConfig& config) {
  std::vector<double> values;
  for (const AlgorithmOptionSpec& option : row.options) values.push_back(option.default_value);
  std::vector<bool> seen(row.options.size(), false);
  for (const v1::AlgorithmOption& given : config.options()) {
    size_t index = 0;
    while (index < row.options.size() && row.options[index].name != given.name()) ++index;
    if (index == row.options.size()) return UnknownOptionError(row, given.name());
    if (seen[index]) {
      return absl::InvalidArgumentError(absl::StrCat("option \"", given.name(), "\" of algorithm \"",
                                                     row.name, "\" is given twice"));
    }
    seen[index] = true;
    const AlgorithmOptionSpec& option = row.options[index];
    const double value = given.value();
    const bool inside = option.minimum_allowed ? value >= option.minimum : value > option.minimum;
    if (!inside || !(value <= option.maximum) || (option.whole && value != std::floor(value))) {
      return absl::InvalidArgumentError(absl::StrCat("option \"", option.name, "\" of algorithm \"",
                                                     row.name, "\" is ", value, "; it must be ",
                                                     RangeOf(option), ": ", option.help));
    }
    values[index] = value;
  }
  return values;
}

absl::StatusOr<const AlgorithmRow*> RowFor(const v1::AlgorithmConfig& config) {
  const AlgorithmRow* row = FindAlgorithm(config.name());
  if (row != nullptr) return row;
  std::vector<std::string> known;
  for (const AlgorithmRow& known_row : AlgorithmRegistry()) known.emplace_back(known_row.name);
  return UnknownNameError("algorithm", config.name(), known);
}

}  // namespace

const std::vector<AlgorithmRow>& AlgorithmRegistry() {
#define STARLING_CALL(name) name(),
  static const auto* const rows =
      new std::vector<AlgorithmRow>{STARLING_ALGORITHMS(STARLING_CALL)};
#undef STARLING_CALL
  return *rows;
}

const AlgorithmRow* FindAlgorithm(absl::string_view name) {
  for (const AlgorithmRow& row : AlgorithmRegistry()) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

absl::StatusOr<Algorithm> MakeAlgorithm(const v1::AlgorithmConfig& config,
                                        const AlgorithmContext& context) {
  const auto row = RowFor(config);
  if (!row.ok()) return row.status();
  const auto values = ValuesFor(**row, config);
  if (!values.ok()) return values.status();
  auto algorithm = (*row)->make(AlgorithmOptions((*row)->options, *values), context);
  if (!algorithm.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("algorithm \"", config.name(), "\": ", algorithm.status().message()));
  }
  algorithm->name = config.name();
  return algorithm;
}

absl::StatusOr<v1::AlgorithmConfig> CompleteAlgorithmConfig(const v1::AlgorithmConfig& config) {
  const auto row = RowFor(config);
  if (!row.ok()) return row.status();
  const auto values = ValuesFor(**row, config);
  if (!values.ok()) return values.status();
  std::vector<std::pair<std::string, double>> sorted;
  for (size_t i = 0; i < values->size(); ++i) {
    sorted.emplace_back((*row)->options[i].name, (*values)[i]);
  }
  std::sort(sorted.begin(), sorted.end());
  v1::AlgorithmConfig complete;
  complete.set_name(config.name());
  for (const auto& [name, value] : sorted) {
    v1::AlgorithmOption* option = complete.add_options();
    option->set_name(name);
    option->set_value(value);
  }
  return complete;
}

absl::Status CheckOptimizer(absl::string_view algorithm, absl::string_view optimizer) {
  const AlgorithmRow* const row = FindAlgorithm(algorithm);
  if (row == nullptr || row->optimizers.empty()) return absl::OkStatus();
  if (std::find(row->optimizers.begin(), row->optimizers.end(), optimizer) !=
      row->optimizers.end()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "algorithm \"", algorithm, "\" does not go with the optimizer \"", optimizer,
      "\", whose part it does itself; use ", absl::StrJoin(row->optimizers, " or ")));
}

}  // namespace starling
