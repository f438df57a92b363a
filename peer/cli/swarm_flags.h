// Flags of the commands that start a whole swarm on this machine.

#ifndef STARLING_PEER_CLI_SWARM_FLAGS_H_
#define STARLING_PEER_CLI_SWARM_FLAGS_H_

#include <cstdint>
#include <string>

#include "absl/flags/declare.h"

ABSL_DECLARE_FLAG(int, peers);
ABSL_DECLARE_FLAG(std::string, data);
ABSL_DECLARE_FLAG(std::string, data_dir);
ABSL_DECLARE_FLAG(uint64_t, seed);
ABSL_DECLARE_FLAG(std::string, keep_logs);

namespace starling {

// The file that defines them, for Command::flag_files.
inline constexpr char kSwarmFlagsFile[] = "peer/cli/swarm_flags.cc";

}  // namespace starling

#endif  // STARLING_PEER_CLI_SWARM_FLAGS_H_
