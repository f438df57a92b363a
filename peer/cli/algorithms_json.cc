#include "peer/cli/algorithms_json.h"

#include <nlohmann/json.hpp>

#include "peer/cli/algorithm_facts.h"

namespace starling {
namespace {

using Json = nlohmann::ordered_json;

Json Text(absl::string_view text) { return std::string(text); }
Json OrNull(absl::string_view text) { return text.empty() ? Json(nullptr) : Text(text); }

Json OptionJson(const AlgorithmOptionSpec& option) {
  return {{"name", Text(option.name)},
          {"default", option.default_value},
          {"minimum", option.minimum},
          {"minimum_allowed", option.minimum_allowed},
          {"maximum", option.maximum},
          {"whole", option.whole},
          {"help", Text(option.help)}};
}

Json ExchangeJson(const ExchangeFacts& exchange) {
  return {{"schedule", exchange.schedule},
          {"selector", exchange.selector},
          {"mix", exchange.mix},
          {"payload", exchange.payload}};
}

Json RoundJson(const RoundFacts& round) {
  return {{"payload", round.payload},   {"schedule", round.schedule},
          {"topology", round.topology}, {"outer", OrNull(round.outer)},
          {"order", round.order},       {"global", OrNull(round.global)}};
}

Json AlgorithmJson(const AlgorithmRow& row) {
  const AlgorithmFacts facts = FactsOf(row);
  Json json = {{"name", Text(row.name)},
               {"summary", Text(row.summary)},
               {"paper", OrNull(row.paper)},
               {"arxiv", OrNull(row.arxiv)},
               {"options", Json::array()},
               {"exchange", facts.exchange ? ExchangeJson(*facts.exchange) : Json(nullptr)},
               {"rounds", Json::array()},
               {"also", facts.also},
               {"needs_centre", facts.needs_centre},
               {"waits", facts.waits},
               {"optimizers", Json::array()},
               {"guarantees",
                {{"sum", SumWord(row.guarantees.sum)},
                 {"agreement_is_fixed", row.guarantees.agreement_is_fixed},
                 {"contracts", row.guarantees.contracts},
                 {"alone_is_local", row.guarantees.alone_is_local},
                 {"because", OrNull(row.guarantees.because)}}}};
  for (const AlgorithmOptionSpec& option : row.options) {
    json["options"].push_back(OptionJson(option));
  }
  for (const RoundFacts& round : facts.rounds) json["rounds"].push_back(RoundJson(round));
  for (const absl::string_view optimizer : row.optimizers) {
    json["optimizers"].push_back(Text(optimizer));
  }
  return json;
}

}  // namespace

std::string AlgorithmsJson(const std::vector<const AlgorithmRow*>& rows) {
  Json json = {{"algorithms", Json::array()}};
  for (const AlgorithmRow* row : rows) json["algorithms"].push_back(AlgorithmJson(*row));
  return json.dump(2) + "\n";
}

}  // namespace starling
