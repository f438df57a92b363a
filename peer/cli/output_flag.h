// --output, the flag of every command that can answer people or programs.

#ifndef STARLING_PEER_CLI_OUTPUT_FLAG_H_
#define STARLING_PEER_CLI_OUTPUT_FLAG_H_

#include <string>

#include "absl/strings/string_view.h"

namespace starling {

enum class OutputFormat { kTable, kJson };

// The value of --output.
OutputFormat WantedOutput();

// The file that defines the flag, for Command::flag_files.
inline constexpr char kOutputFlagFile[] = "peer/cli/output_flag.cc";

bool AbslParseFlag(absl::string_view text, OutputFormat* format, std::string* error);
std::string AbslUnparseFlag(OutputFormat format);

}  // namespace starling

#endif  // STARLING_PEER_CLI_OUTPUT_FLAG_H_
