// A command of the `starling` program, and the way from argv to it.

#ifndef STARLING_PEER_CLI_COMMAND_H_
#define STARLING_PEER_CLI_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace starling {

struct Command {
  std::string name;
  std::string summary;  // one line for the list of commands
  std::string help;     // what it does, an example, its own exit codes; flags are added
  // Source files that define its flags (FlagScope of peer/runtime/flags.h).
  std::vector<std::string> flag_files;
  // Runs with the flags set; returns the exit code. Results go to stdout, complaints to stderr.
  // `argument` is the word that is no flag, empty if there was none.
  int (*run)(const std::string& argument);
  // How help names that word, "NAME"; empty: the command takes flags only.
  std::string argument = "";
};

// Finds the command that argv[1] names, parses its flags and runs it; answers help, --help and
// version itself. Unknown commands and flags, and words that the command does not take: one line with
// the nearest known name on stderr, kExitUsage.
int Dispatch(const std::vector<Command>& commands, int argc, char** argv);

// Prints "starling: <message>" to stderr and returns the exit code that stands for `error`.
// RESOURCE_EXHAUSTED is kExitTryAgain here: a daemon that is busy now will not be for ever.
int Fail(const absl::Status& error);

}  // namespace starling

#endif  // STARLING_PEER_CLI_COMMAND_H_
