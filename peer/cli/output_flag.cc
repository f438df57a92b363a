#include "peer/cli/output_flag.h"

#include "absl/flags/flag.h"

ABSL_FLAG(starling::OutputFormat, output, starling::OutputFormat::kTable,
          "table for people, or json: one JSON document on stdout for programs; of `algorithms` also "
          "markdown, the text of docs/algorithms.md");

namespace starling {

OutputFormat WantedOutput() { return absl::GetFlag(FLAGS_output); }

absl::Status RefuseMarkdown() {
  if (WantedOutput() != OutputFormat::kMarkdown) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "--output=markdown is for `starling algorithms` alone; use table or json");
}

bool AbslParseFlag(absl::string_view text, OutputFormat* format, std::string* error) {
  if (text == "table") {
    *format = OutputFormat::kTable;
  } else if (text == "json") {
    *format = OutputFormat::kJson;
  } else if (text == "markdown") {
    *format = OutputFormat::kMarkdown;
  } else {
    *error = "it is table, json or markdown";
    return false;
  }
  return true;
}

std::string AbslUnparseFlag(OutputFormat format) {
  switch (format) {
    case OutputFormat::kTable: return "table";
    case OutputFormat::kJson: return "json";
    case OutputFormat::kMarkdown: return "markdown";
  }
  return "";
}

}  // namespace starling
