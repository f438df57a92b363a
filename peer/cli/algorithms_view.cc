#include "peer/cli/algorithms_view.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "peer/algorithms/registry.h"
#include "peer/cli/algorithm_facts.h"
#include "peer/cli/table.h"

namespace starling {
namespace {

constexpr size_t kTableColumns = 80;
constexpr size_t kDetailColumns = 100;
constexpr size_t kNameColumn = 13;

// `text` in lines of at most `width` columns, all but the first behind `indent` blanks, which the
// first has already taken.
std::string Wrapped(absl::string_view text, size_t indent, size_t width) {
  std::string wrapped;
  size_t column = indent;
  for (const absl::string_view word : absl::StrSplit(text, ' ')) {
    if (column > indent && column + 1 + word.size() > width) {
      absl::StrAppend(&wrapped, "\n", std::string(indent, ' '));
      column = indent;
    } else if (column > indent) {
      wrapped += ' ';
      ++column;
    }
    absl::StrAppend(&wrapped, word);
    column += word.size();
  }
  return wrapped;
}

std::string Line(absl::string_view name, absl::string_view text) {
  return absl::StrCat(absl::StrFormat("%-*s", static_cast<int>(kNameColumn), name),
                      Wrapped(text, kNameColumn, kDetailColumns), "\n");
}

std::string PaperText(const AlgorithmRow& row) {
  if (row.paper.empty()) return "none: a baseline";
  return row.arxiv.empty() ? std::string(row.paper)
                           : absl::StrCat(row.paper, ", https://arxiv.org/abs/", row.arxiv);
}

std::string OptionsText(const AlgorithmRow& row) {
  if (row.options.empty()) return Line("options", "none");
  size_t name_width = 0;
  size_t default_width = 0;
  size_t range_width = 0;
  for (const AlgorithmOptionSpec& option : row.options) {
    name_width = std::max(name_width, option.name.size());
    default_width = std::max(default_width, OptionValueText(option.default_value).size());
    range_width = std::max(range_width, RangeText(option).size());
  }
  std::string text = "options\n";
  for (const AlgorithmOptionSpec& option : row.options) {
    const std::string head = absl::StrFormat(
        "  %-*s  %-*s  %-*s  ", static_cast<int>(name_width), option.name,
        static_cast<int>(default_width), OptionValueText(option.default_value),
        static_cast<int>(range_width), RangeText(option));
    absl::StrAppend(&text, head, Wrapped(option.help, head.size(), kDetailColumns), "\n");
  }
  return text;
}

std::string PoliciesText(const AlgorithmFacts& facts) {
  std::string text;
  if (facts.exchange) {
    const ExchangeFacts& exchange = *facts.exchange;
    absl::StrAppend(&text, Line("exchanges",
                                absl::StrCat(exchange.schedule, "; partner: ", exchange.selector,
                                             "; mix: ", exchange.mix, ", ", exchange.payload)));
  }
  for (const RoundFacts& round : facts.rounds) {
    absl::StrAppend(
        &text,
        Line("rounds", absl::StrCat(round.payload, " ", round.schedule, "; topology: ",
                                    round.topology, "; ", round.order,
                                    round.outer.empty() ? "" : "; outer step: ", round.outer,
                                    round.global.empty() ? "" : "; ", round.global)));
  }
  if (text.empty()) text = Line("exchanges", "none");
  for (const std::string& other : facts.also) absl::StrAppend(&text, Line("also", other));
  absl::StrAppend(&text, Line("centre", facts.needs_centre
                                            ? "one peer more holds it: peerd --centre"
                                            : "none"));
  return text;
}

std::string Says(bool holds, absl::string_view what) {
  return Line("", absl::StrCat(holds ? "yes  " : "no   ", what));
}

std::string GuaranteesText(const AlgorithmGuarantees& guarantees) {
  return absl::StrCat(
      Line("guarantees", absl::StrCat(SumText(guarantees.sum), ", and without faults:")),
      Says(guarantees.agreement_is_fixed, "peers that agree stay as they are"),
      Says(guarantees.contracts, "without gradients peers come to agree"),
      Says(guarantees.alone_is_local, "one worker alone trains as its local optimizer does"),
      guarantees.because.empty() ? "" : Line("", absl::StrCat("(", guarantees.because, ")")));
}

}  // namespace

std::string RenderAlgorithms() {
  Table table({{"algorithm", Align::kLeft},
               {"sum", Align::kLeft},
               {"needs", Align::kLeft},
               {"wait", Align::kLeft},
               {"arXiv", Align::kLeft},
               {"paper", Align::kLeft}});
  for (const AlgorithmRow& row : AlgorithmRegistry()) {
    const AlgorithmFacts facts = FactsOf(row);
    const auto or_dash = [](absl::string_view text) {
      return text.empty() ? "-" : std::string(text);
    };
    table.AddRow({std::string(row.name), SumWord(row.guarantees.sum), NeedsWord(facts), facts.waits,
                  or_dash(row.arxiv), or_dash(row.paper)});
  }
  const std::vector<std::string> lines = table.Lines();
  std::string text = absl::StrCat(lines[0], "\n");
  for (size_t i = 1; i < lines.size(); ++i) {
    absl::StrAppend(&text, lines[i], "\n    ",
                    Wrapped(AlgorithmRegistry()[i - 1].summary, 4, kTableColumns), "\n");
  }
  return absl::StrCat(
      text,
      "\nsum    what mixing does to the sum of all peers' values: kept, weighed (kept if\n"
      "       each counts by its push-sum weight), in mean (kept on average), moves\n"
      "needs  rounds that all make in step with each other, or a peer with a centre\n"
      "wait   yes: steps wait for rounds; late: only for a round that is behind; no\n"
      "\n`starling algorithms NAME` tells everything about one.\n");
}

std::string RenderAlgorithm(const AlgorithmRow& row) {
  const AlgorithmFacts facts = FactsOf(row);
  return absl::StrCat(
      row.name, ": ", Wrapped(row.summary, row.name.size() + 2, kDetailColumns), "\n",
      Line("paper", PaperText(row)), OptionsText(row), PoliciesText(facts),
      Line("waits", facts.waits == "yes"    ? "yes, steps wait for rounds"
                    : facts.waits == "late" ? "only for a round that is behind"
                                            : "never"),
      Line("optimizers", row.optimizers.empty() ? "all" : absl::StrJoin(row.optimizers, ", ")),
      GuaranteesText(row.guarantees), Line("try", absl::StrCat("starling demo --algorithm=", row.name)));
}

}  // namespace starling
