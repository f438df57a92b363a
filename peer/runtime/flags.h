// Command lines: absl flags underneath, with what absl leaves out: an unknown flag names the
// nearest known one and exits 64, positional arguments are returned, --help shows the program's own
// flags grouped and nothing else.
//
// A program defines its flags with ABSL_FLAG in its own files, and lists the files (or all flags
// whose defining file path contains one of `scopes`) that belong to it.

#ifndef STARLING_PEER_RUNTIME_FLAGS_H_
#define STARLING_PEER_RUNTIME_FLAGS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace starling {

struct FlagScope {
  // Flags are known if the file that defines them contains one of these strings.
  std::vector<std::string> files;
  // As files, but --help does not show those.
  std::vector<std::string> hidden = {};
};

// Parses argv[1..]: --name=value, --name value, --flag / --noflag for booleans, "--" ends flags.
// Returns positional arguments. INVALID_ARGUMENT: unknown flag (with the nearest known), missing or
// bad value (with the type's own complaint). --help yields CANCELLED with an empty message; the
// caller prints its help and exits 0.
absl::StatusOr<std::vector<std::string>> ParseFlags(int argc, char** argv, const FlagScope& scope);

// "  --name=DEFAULT\n      help, wrapped at 88 columns", sorted by name, for the flags in scope.
std::string FlagsHelp(const FlagScope& scope);

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_FLAGS_H_
