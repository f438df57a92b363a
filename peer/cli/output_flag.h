// --output, the flag of every command that can answer people or programs.

#ifndef STARLING_PEER_CLI_OUTPUT_FLAG_H_
#define STARLING_PEER_CLI_OUTPUT_FLAG_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace starling {

enum class OutputFormat { kTable, kJson, kMarkdown };

// The value of --output.
OutputFormat WantedOutput();

// For commands that write no markdown. INVALID_ARGUMENT: it is asked for.
absl::Status RefuseMarkdown();

// The file that defines the flag, for Command::flag_files.
inline constexpr char kOutputFlagFile[] = "peer/cli/output_flag.cc";

bool AbslParseFlag(absl::string_view text, OutputFormat* format, std::string* error);
std::string AbslUnparseFlag(OutputFormat format);

}  // namespace starling

#endif  // STARLING_PEER_CLI_OUTPUT_FLAG_H_
