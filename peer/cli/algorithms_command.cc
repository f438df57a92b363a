// `starling algorithms`: what there is to choose from.

#include <cstdio>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "peer/algorithms/registry.h"
#include "peer/cli/algorithms_json.h"
#include "peer/cli/algorithms_view.h"
#include "peer/cli/commands.h"
#include "peer/cli/output_flag.h"
#include "peer/runtime/exit_codes.h"
#include "peer/runtime/nearest_name.h"

namespace starling {
namespace {

constexpr char kHelp[] =
    R"(Lists the algorithms that peers can train by, or tells everything about one: its options with
their ranges, the policies that it is composed of, the optimizers that it works with, and what it
guarantees. Asks no daemon.

examples:
  starling algorithms
  starling algorithms lsgd
  starling algorithms --output=json | jq -r '.algorithms[] | select(.needs_centre).name'

exit codes: 0 ok, 64 wrong usage or an algorithm that does not exist
)";

// One name, or all of them for an empty one.
absl::StatusOr<std::vector<const AlgorithmRow*>> Wanted(const std::string& name) {
  std::vector<const AlgorithmRow*> rows;
  std::vector<std::string> known;
  for (const AlgorithmRow& row : AlgorithmRegistry()) {
    if (name.empty() || row.name == name) rows.push_back(&row);
    known.emplace_back(row.name);
  }
  if (rows.empty()) return UnknownNameError("algorithm", name, known);
  return rows;
}

int Run(const std::string& name) {
  const absl::StatusOr<std::vector<const AlgorithmRow*>> rows = Wanted(name);
  if (!rows.ok()) return Fail(rows.status());
  std::string text;
  switch (WantedOutput()) {
    case OutputFormat::kTable:
      text = name.empty() ? RenderAlgorithms() : RenderAlgorithm(*rows->front());
      break;
    case OutputFormat::kJson: text = AlgorithmsJson(*rows); break;
    case OutputFormat::kMarkdown:
      if (!name.empty()) {
        return Fail(absl::InvalidArgumentError(
            "--output=markdown is about all algorithms; leave the name out"));
      }
      text = AlgorithmsMarkdown();
      break;
  }
  std::fputs(text.c_str(), stdout);
  return kExitOk;
}

}  // namespace

Command AlgorithmsCommand() {
  return {.name = "algorithms",
          .summary = "the algorithms to choose from, or everything about one",
          .help = kHelp,
          .flag_files = {kOutputFlagFile},
          .run = Run,
          .argument = "NAME"};
}

}  // namespace starling
