// Where the daemons' programs are, seen from this one.

#ifndef STARLING_PEER_CLI_DAEMON_PATHS_H_
#define STARLING_PEER_CLI_DAEMON_PATHS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace starling {

struct DaemonPaths {
  std::string peerd;
  std::string coordinatord;
};

// Looks for each program in this order: the file that the environment variable STARLING_PEERD or
// STARLING_COORDINATORD names (which then must exist), the directory of this program (as
// installed), and where Bazel puts it (`<directory>/../peerd`,
// `<directory>/../../coordinator/coordinatord`). `directory` is that of the running program, see
// ProgramDirectory().
// UNAVAILABLE: one is missing; the message names it, where it was looked for, and the remedy.
absl::StatusOr<DaemonPaths> FindDaemons(const std::string& directory);

// The directory of the running program's own file, symbolic links resolved.
std::string ProgramDirectory();

}  // namespace starling

#endif  // STARLING_PEER_CLI_DAEMON_PATHS_H_
