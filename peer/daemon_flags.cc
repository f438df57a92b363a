#include "peer/daemon_flags.h"

#include <utility>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "peer/limit_flags.h"
#include "spdlog/spdlog.h"

ABSL_FLAG(std::string, coordinator, "",
          "host:port of the coordinator; empty: none, peers find each other through --peers");
ABSL_FLAG(std::string, peers, "",
          "host:port,host:port of peers to ask for the run and for further peers; unreachable ones "
          "are asked again for ever");
ABSL_FLAG(bool, bootstrap, false,
          "start a swarm at once instead of waiting for a word from --peers or from peers known from "
          "an earlier life; whoever is found later is joined all the same");
ABSL_FLAG(std::string, listen, "127.0.0.1:7700",
          "host:port to serve on; port 0 takes a free one. Traffic is not encrypted: use addresses "
          "beyond this machine on trusted networks only");
ABSL_FLAG(bool, same_host_copies, true,
          "peers of one machine copy parameters from each other's memory, which is quicker than sending "
          "them; needs that both run as one user and the kernel allows it (ptrace_scope 0), and is left "
          "otherwise");
ABSL_FLAG(std::string, name, "peerd", "how this daemon calls itself in its own log");
ABSL_FLAG(std::string, advertise, "",
          "host:port that others dial; default: the address listened on. Needed when listening on "
          "0.0.0.0");
ABSL_FLAG(std::string, address_file, "", "write the advertised host:port to this file once bound");
ABSL_FLAG(std::string, state_dir, "",
          "directory that keeps this peer's id across restarts, its checkpoints, and the addresses of other "
          "peers to find the swarm again; of one process at a time; empty: a new id at each start");
ABSL_FLAG(absl::Duration, checkpoint_every, absl::Seconds(60),
          "how often to save the parameters in --state_dir, from which a restarted peer goes on if nobody else "
          "trains or they are fresh enough; 0: never");
ABSL_FLAG(uint32_t, rollbacks, 3,
          "how often in a row, without progress in between, this peer goes back to better parameters when its "
          "own are not finite any more, before it exits with code 70");
ABSL_FLAG(double, rollback_rate, 0.5,
          "what going back multiplies this peer's learning rate by, for the rest of its life; 1 keeps it");
ABSL_FLAG(int, slot, -1,
          "which part of the training set to read, from 0; default: the coordinator's choice, "
          "without a coordinator derived from the peer's id");
ABSL_FLAG(bool, centre, false,
          "hold the centre of an algorithm that needs one (easgd and its relatives): answers "
          "exchanges and does not train");
ABSL_FLAG(std::string, request_codec, "fp32",
          "how the parameters in this peer's requests travel: fp32; bf16 or fp16, half the bytes, and "
          "peers agree to 1 part in 256 or 2048 of each parameter");
ABSL_FLAG(std::string, reply_codec, "fp32",
          "how this peer's replies travel. Differences, as elastic_gossip answers with, may be coarse: "
          "int8 (a quarter of the bytes; the usual choice on slow links), qsgd:bits=4, dqsgd:bits=4 "
          "(spends bits where differences are large), topk:share=1/100, randk:share=1/10; what is "
          "left out is not lost, it is still a difference at the next exchange. Where replies carry "
          "parameters: fp32, bf16, fp16");
ABSL_FLAG(int, threads, 1, "threads that one operation of the model may use; more than one pays "
                           "only where a peer has several cores to itself");
ABSL_FLAG(double, max_steps_per_second, 0, "upper limit on local steps; 0: as fast as possible");
ABSL_FLAG(absl::Duration, evaluate_every, absl::Seconds(20),
          "how often to measure the test accuracy while training; 0: at the end only");
ABSL_FLAG(absl::Duration, join_timeout, absl::InfiniteDuration(),
          "give up (exit 75) when the coordinator, or without one each of --peers, does not answer for "
          "this long; default: wait for a coordinator for ever, for peers 3 s before a swarm is founded "
          "without them");
ABSL_FLAG(bool, exit_when_done, false,
          "leave the swarm and exit 0 when all epochs are done; default: go on serving");
ABSL_FLAG(std::string, preset, "lan",
          "timing of failure detection: lan, wan, or fast (one machine, tests)");
ABSL_FLAG(std::string, log_level, "info", "debug, info, warn, error or off");

namespace starling {
namespace {

absl::StatusOr<MembershipOptions> MembershipPreset(const std::string& name) {
  if (name == "lan") return MembershipOptions::Lan();
  if (name == "wan") return MembershipOptions::Wan();
  if (name == "fast") return MembershipOptions::Fast();
  return absl::InvalidArgumentError(
      absl::StrCat("--preset=", name, " is not one of lan, wan, fast"));
}

absl::Status CheckRanges(const DaemonFlags& flags) {
  if (flags.threads < 1 || flags.threads > 1024) {
    return absl::InvalidArgumentError("--threads must be between 1 and 1024");
  }
  if (flags.checkpoint_every < absl::ZeroDuration()) {
    return absl::InvalidArgumentError("--checkpoint_every must not be negative; 0 keeps no checkpoints");
  }
  if (const double rate = flags.rollback_rate; !(rate > 0 && rate <= 1)) {
    return absl::InvalidArgumentError("--rollback_rate must be above 0 and at most 1");
  }
  if (!(flags.max_steps_per_second >= 0)) {
    return absl::InvalidArgumentError("--max_steps_per_second must not be negative");
  }
  if (spdlog::level::from_str(flags.log_level) == spdlog::level::off &&
      flags.log_level != "off") {
    return absl::InvalidArgumentError(absl::StrCat("--log_level=", flags.log_level,
                                                   " is not one of debug, info, warn, error, off"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DaemonFlags> DaemonFlagsFromCommandLine() {
  DaemonFlags flags;
  flags.coordinator = absl::GetFlag(FLAGS_coordinator);
  flags.bootstrap = absl::GetFlag(FLAGS_bootstrap);
  flags.listen = absl::GetFlag(FLAGS_listen);
  flags.same_host_copies = absl::GetFlag(FLAGS_same_host_copies);
  flags.name = absl::GetFlag(FLAGS_name);
  flags.advertise = absl::GetFlag(FLAGS_advertise);
  flags.address_file = absl::GetFlag(FLAGS_address_file);
  flags.state_dir = absl::GetFlag(FLAGS_state_dir);
  flags.checkpoint_every = absl::GetFlag(FLAGS_checkpoint_every);
  flags.rollbacks = absl::GetFlag(FLAGS_rollbacks);
  flags.rollback_rate = absl::GetFlag(FLAGS_rollback_rate);
  flags.centre = absl::GetFlag(FLAGS_centre);
  flags.threads = absl::GetFlag(FLAGS_threads);
  flags.max_steps_per_second = absl::GetFlag(FLAGS_max_steps_per_second);
  flags.evaluate_every = absl::GetFlag(FLAGS_evaluate_every);
  flags.join_timeout = absl::GetFlag(FLAGS_join_timeout);
  flags.exit_when_done = absl::GetFlag(FLAGS_exit_when_done);
  flags.log_level = absl::GetFlag(FLAGS_log_level);
  flags.peers = absl::StrSplit(absl::GetFlag(FLAGS_peers), ',', absl::SkipWhitespace());
  if (const int slot = absl::GetFlag(FLAGS_slot); slot >= 0) flags.slot = static_cast<uint32_t>(slot);
  if (absl::Status status = CheckRanges(flags); !status.ok()) return status;
  auto own = RunConfigFromFlags();
  if (!own.ok()) return own.status();
  flags.own = *std::move(own);
  auto expected = RunExpectationsFromFlags();
  if (!expected.ok()) return expected.status();
  flags.expected = *std::move(expected);
  auto membership = MembershipPreset(absl::GetFlag(FLAGS_preset));
  if (!membership.ok()) return membership.status();
  flags.membership = *std::move(membership);
  auto codecs = MakeCodecChoice(absl::GetFlag(FLAGS_request_codec), absl::GetFlag(FLAGS_reply_codec));
  if (!codecs.ok()) return codecs.status();
  flags.codecs = *std::move(codecs);
  auto limits = LimitsFromFlags();
  if (!limits.ok()) return limits.status();
  flags.limits = *std::move(limits);
  return flags;
}

}  // namespace starling
