#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "peer/algorithms/registry.h"
#include "peer/cli/algorithm_facts.h"
#include "peer/cli/algorithms_view.h"
#include "peer/topology/topology_registry.h"

namespace starling {
namespace {

constexpr char kIntroduction[] = R"(# The algorithms

Generated from the tables that the daemons use; after a change of these:

    bazel run //peer/cli:starling -- algorithms --output=markdown > docs/algorithms.md

Every algorithm is a row of `peer/algorithms/registry.h`, composed of small policies. Two kinds of communication
exist, and an algorithm may use one, both or none: *exchanges* of pairs, whenever a worker likes, and *rounds* that
all members make in step with each other. The values below are those with default options;
`starling algorithms NAME` tells everything about one, `--algorithm=NAME:option=value,...` chooses.

)";

constexpr char kPolicies[] = R"(## What they are composed of

* schedule: when a worker communicates, in its own steps
* selection: with whom; of rounds the topology, numbered in the last table
* mixing: what is made of what comes in; of rounds the outer optimizer (`peer/rounds/outer_optimizer.h`), with
  gradients their mean
* order: whether training waits
* sum: what mixing does to the sum of all peers' values. Kept; weighed: kept if each counts by its push-sum weight;
  in mean: kept on average over who meets whom; moves

)";

std::string Cell(absl::string_view text) {
  return text.empty() ? "-" : absl::StrReplaceAll(text, {{"|", "\\|"}});
}

std::string Row(const std::vector<std::string>& cells) {
  std::string text = "|";
  for (const std::string& cell : cells) absl::StrAppend(&text, " ", Cell(cell), " |");
  return text + "\n";
}

std::string Head(const std::vector<std::string>& titles) {
  return absl::StrCat(Row(titles), "|", absl::StrJoin(titles, "|", [](std::string* out, auto&) {
                        out->append("---");
                      }), "|\n");
}

std::string Code(absl::string_view name) { return absl::StrCat("`", name, "`"); }

std::string PaperCell(const AlgorithmRow& row) {
  if (row.arxiv.empty()) return std::string(row.paper);
  return absl::StrCat(row.paper, ", [", row.arxiv, "](https://arxiv.org/abs/", row.arxiv, ")");
}

std::string Summaries() {
  std::string text = Head({"algorithm", "what it does", "paper"});
  for (const AlgorithmRow& row : AlgorithmRegistry()) {
    absl::StrAppend(&text, Row({Code(row.name), std::string(row.summary), PaperCell(row)}));
  }
  return text;
}

// Whatever holds of a whole algorithm stands in the row of its first communication.
struct Tail {
  std::string also;
  std::string guarantees;
};

Tail TailOf(const AlgorithmRow& row, const AlgorithmFacts& facts) {
  std::vector<std::string> also = facts.also;
  if (facts.needs_centre) also.insert(also.begin(), "a peer holds the centre");
  if (!row.optimizers.empty()) {
    also.push_back(absl::StrCat("optimizer: ", absl::StrJoin(row.optimizers, ", ")));
  }
  std::string guarantees = SumWord(row.guarantees.sum);
  if (!row.guarantees.agreement_is_fixed) absl::StrAppend(&guarantees, "; agreement is not fixed");
  if (!row.guarantees.contracts) absl::StrAppend(&guarantees, "; does not contract");
  if (!row.guarantees.alone_is_local) absl::StrAppend(&guarantees, "; alone not as local training");
  if (!row.guarantees.because.empty()) {
    absl::StrAppend(&guarantees, " (", row.guarantees.because, ")");
  }
  return {absl::StrJoin(also, "; "), guarantees};
}

std::string Policies() {
  std::string text = Head({"algorithm", "kind", "payload", "schedule", "selection", "mixing",
                           "order", "also", "sum and other guarantees"});
  for (const AlgorithmRow& row : AlgorithmRegistry()) {
    const AlgorithmFacts facts = FactsOf(row);
    const Tail tail = TailOf(row, facts);
    std::vector<std::vector<std::string>> parts;
    if (facts.exchange) {
      parts.push_back({"exchange", facts.exchange->payload, facts.exchange->schedule,
                       facts.exchange->selector, facts.exchange->mix, "nobody waits"});
    }
    for (const RoundFacts& round : facts.rounds) {
      const std::string global = round.global.empty() ? "" : absl::StrCat("; ", round.global);
      parts.push_back({"round", round.payload, round.schedule,
                       absl::StrCat(Code(round.topology), global),
                       round.outer.empty() ? "mean" : round.outer, round.order});
    }
    if (parts.empty()) parts.push_back({"none", "", "", "", "", "nobody waits"});
    for (size_t i = 0; i < parts.size(); ++i) {
      std::vector<std::string> cells = {i == 0 ? Code(row.name) : "and"};
      cells.insert(cells.end(), parts[i].begin(), parts[i].end());
      cells.push_back(i == 0 ? tail.also : "");
      cells.push_back(i == 0 ? tail.guarantees : "");
      absl::StrAppend(&text, Row(cells));
    }
  }
  return text;
}

std::string Options() {
  std::string text = Head({"algorithm", "option", "default", "range", "what it does"});
  for (const AlgorithmRow& row : AlgorithmRegistry()) {
    for (const AlgorithmOptionSpec& option : row.options) {
      absl::StrAppend(&text, Row({Code(row.name), Code(option.name),
                                  OptionValueText(option.default_value), RangeText(option),
                                  std::string(option.help)}));
    }
  }
  return text;
}

std::string ExactText(const Topology& topology, size_t members) {
  const uint64_t rounds = topology.exact_after(members);
  return rounds == 0 ? "" : absl::StrCat(rounds);
}

std::string Topologies() {
  std::string text = Head({"number", "topology", "what it is", "parameter", "symmetric",
                           "exact mean after, n = 8", "n = 6"});
  const std::vector<TopologyRow>& rows = TopologyRegistry();
  for (size_t number = 0; number < rows.size(); ++number) {
    const TopologyRow& row = rows[number];
    const auto topology = row.make(row.parameter ? row.parameter->default_value : 0);
    absl::StrAppend(
        &text, Row({absl::StrCat(number), Code(row.name), std::string(row.help),
                    row.parameter ? absl::StrCat(Code(row.parameter->name), ": ", row.parameter->help,
                                                 "; default ", row.parameter->default_value)
                                  : "",
                    topology->symmetric() ? "yes" : "no", ExactText(*topology, 8),
                    ExactText(*topology, 6)}));
  }
  return text;
}

}  // namespace

std::string AlgorithmsMarkdown() {
  return absl::StrCat(
      kIntroduction, Summaries(), "\n", kPolicies, Policies(), "\n## Options\n\n", Options(),
      "\n## Topologies\n\nWhat an option `topology` chooses by number. \"-\": no number of rounds is "
      "promised.\n\n",
      Topologies());
}

}  // namespace starling
