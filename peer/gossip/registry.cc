#include "peer/gossip/registry.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "peer/gossip/elastic_mix.h"
#include "peer/gossip/pull_mix.h"
#include "peer/runtime/nearest_name.h"

namespace starling {
namespace {

constexpr AlgorithmOptionSpec kProbability = {
    "p", 0.125, 0, 1, false, false,
    "probability of starting an exchange at a communication step; up: closer agreement, more bytes"};
constexpr AlgorithmOptionSpec kPeriod = {
    "tau", 1, 1, 1e9, true, true,
    "every tau-th local step is a communication step; up: fewer bytes, looser agreement"};
constexpr AlgorithmOptionSpec kAlpha = {
    "alpha", 0.5, 0, 0.5, false, false,
    "share of the difference that each side moves; 0.5 meets in the middle"};

AlgorithmRow None() {
  return {"none",
          "every peer trains alone: the baseline",
          "",
          {},
          [](absl::Span<const double>) {
            return Algorithm{"none", MakeNever(), MakeUniformSelector(), nullptr};
          }};
}

AlgorithmRow ElasticGossip() {
  return {"elastic_gossip",
          "pairs of random peers pull each other together by the same force",
          "Pramod 2018, arXiv 1812.02407",
          {kAlpha, kProbability, kPeriod},
          [](absl::Span<const double> values) {
            return Algorithm{"elastic_gossip",
                             MakePeriodicCoin(static_cast<uint64_t>(values[2]), values[1]),
                             MakeUniformSelector(), MakeElasticMix(values[0])};
          }};
}

AlgorithmRow GossipingSgd() {
  return {"gossiping_sgd",
          "a peer moves half way to a random other, who does not move (pull)",
          "Jin et al. 2016, arXiv 1611.04581",
          {kProbability, kPeriod},
          [](absl::Span<const double> values) {
            return Algorithm{"gossiping_sgd",
                             MakePeriodicCoin(static_cast<uint64_t>(values[1]), values[0]),
                             MakeUniformSelector(), MakePullMix()};
          }};
}

const AlgorithmRow* FindRow(absl::string_view name) {
  for (const AlgorithmRow& row : AlgorithmRegistry()) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

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
  const AlgorithmRow* row = FindRow(config.name());
  if (row != nullptr) return row;
  std::vector<std::string> known;
  for (const AlgorithmRow& known_row : AlgorithmRegistry()) known.emplace_back(known_row.name);
  return UnknownNameError("algorithm", config.name(), known);
}

}  // namespace

const std::vector<AlgorithmRow>& AlgorithmRegistry() {
  static const auto* const rows =
      new std::vector<AlgorithmRow>{None(), ElasticGossip(), GossipingSgd()};
  return *rows;
}

absl::StatusOr<Algorithm> MakeAlgorithm(const v1::AlgorithmConfig& config) {
  const auto row = RowFor(config);
  if (!row.ok()) return row.status();
  const auto values = ValuesFor(**row, config);
  if (!values.ok()) return values.status();
  return (*row)->make(*values);
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

}  // namespace starling
