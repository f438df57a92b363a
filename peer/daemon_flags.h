// The flags of peerd, read and checked: what one daemon is told that its swarm need not agree on, and beside it the run
// that the user describes. They are defined in daemon_flags.cc, limit_flags.cc and runtime/run_flags.cc.

#ifndef STARLING_PEER_DAEMON_FLAGS_H_
#define STARLING_PEER_DAEMON_FLAGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "peer/gossip/codec_choice.h"
#include "peer/membership/options.h"
#include "peer/runtime/run_flags.h"
#include "proto/run.pb.h"
#include "proto/status.pb.h"

namespace starling {

// Each field is the flag of its name; daemon_flags.cc says what they mean and their defaults.
struct DaemonFlags {
  std::string coordinator;
  std::vector<std::string> peers;
  bool bootstrap = false;
  std::string listen;
  bool same_host_copies = true;
  std::string name;
  std::string advertise;
  std::string address_file;
  std::string state_dir;
  absl::Duration checkpoint_every;
  uint32_t rollbacks = 0;
  double rollback_rate = 1;
  absl::optional<uint32_t> slot;
  bool centre = false;
  CodecChoice codecs;  // --request_codec, --reply_codec
  int threads = 1;
  double max_steps_per_second = 0;
  absl::Duration evaluate_every;
  absl::Duration join_timeout;
  bool exit_when_done = false;
  MembershipOptions membership;  // --preset
  std::string log_level;
  v1::LinkLimits limits;  // --limit_*
  v1::RunConfig own;
  RunExpectations expected;
};

// Call after the command line was parsed. INVALID_ARGUMENT names the flag, its value and what it may be; errors of
// --config as RunConfigFromFlags.
absl::StatusOr<DaemonFlags> DaemonFlagsFromCommandLine();

}  // namespace starling

#endif  // STARLING_PEER_DAEMON_FLAGS_H_
