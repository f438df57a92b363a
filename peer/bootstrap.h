// How a starting daemon learns which run it is to train, before it can build a model: from the
// coordinator, from a living peer, or, being the first, from its own flags.
//
//   coordinator given ─▶ Join, again and again until it answers (or `join_timeout`); while it does
//                        not, peers that are known are asked as well
//   peers known       ─▶ ask all for their run; the first answer counts. If none answers within
//                        `patience`: the first peer of a new swarm, if the flags describe a run
//   neither, or `found` ─▶ the first peer of a new swarm
//
// Blocks the calling thread (main's), which must not be the control executor's.

#ifndef STARLING_PEER_BOOTSTRAP_H_
#define STARLING_PEER_BOOTSTRAP_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "peer/membership/coordinator_client.h"
#include "peer/runtime/executor.h"
#include "peer/transport/transport.h"
#include "proto/run.pb.h"

namespace starling {

struct BootstrapOptions {
  v1::Member self;  // id, incarnation, address; slot as wished
  std::vector<std::string> seeds;
  // The run that the flags describe, complete; used if nobody else names one.
  v1::RunConfig own;
  // What the user insists on; empty insists on nothing.
  std::string expect_model;
  std::string expect_algorithm;
  // How long peers may take to answer before we start a swarm of our own. Default 3 s.
  absl::Duration patience = absl::Seconds(3);
  // Peers are not waited for: this one starts a swarm with `own`.
  bool found = false;
  // How long to try to reach the coordinator. Default: for ever.
  absl::Duration join_timeout = absl::InfiniteDuration();
  std::function<void(const std::string&)> log;
  // Asked between attempts; true ends the wait with CANCELLED.
  std::function<bool()> stopped;
};

struct BootstrapResult {
  v1::RunConfig config;
  uint64_t peer_id = 0;
  uint32_t slot = 0;
  bool has_slot = false;  // the coordinator gave one out
};

// FAILED_PRECONDITION: the swarm trains something else than the user insists on, or refuses us.
// ALREADY_EXISTS: another process runs with this id.
// DEADLINE_EXCEEDED: the coordinator did not answer within join_timeout. CANCELLED: `stopped`.
absl::StatusOr<BootstrapResult> FindRun(Executor* control, Transport* transport,
                                        CoordinatorClient* coordinator,
                                        const BootstrapOptions& options);

}  // namespace starling

#endif  // STARLING_PEER_BOOTSTRAP_H_
