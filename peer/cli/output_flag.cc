#include "peer/cli/output_flag.h"

#include "absl/flags/flag.h"

ABSL_FLAG(starling::OutputFormat, output, starling::OutputFormat::kTable,
          "table for people, or json: one JSON document on stdout for programs");

namespace starling {

OutputFormat WantedOutput() { return absl::GetFlag(FLAGS_output); }

bool AbslParseFlag(absl::string_view text, OutputFormat* format, std::string* error) {
  if (text == "table") {
    *format = OutputFormat::kTable;
  } else if (text == "json") {
    *format = OutputFormat::kJson;
  } else {
    *error = "it is table or json";
    return false;
  }
  return true;
}

std::string AbslUnparseFlag(OutputFormat format) {
  return format == OutputFormat::kJson ? "json" : "table";
}

}  // namespace starling
