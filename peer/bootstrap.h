// How a starting daemon learns which run it is to train, before it can build a model: from the
// coordinator, from a living peer, or, being the first, from its own flags.
//
//   coordinator given ─▶ asked again and again until it answers (or `join_timeout`); while it does
//                        not, peers that are known are asked as well
//   peers known       ─▶ ask all for their run; the first answer counts. If none answers within
//                        `patience`: the first peer of a new swarm. Within `join_timeout` instead, if
//                        there is one: an error
//   neither, or `found` ─▶ the first peer of a new swarm
//
// Nobody is told of this peer by that: it may take seconds or minutes to load its model and data, and would
// be called by others, answer nobody, and be given up. Then it registers (TakeSlot), and answers at once.
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
#include "absl/types/optional.h"
#include "peer/membership/coordinator_client.h"
#include "peer/runtime/executor.h"
#include "peer/runtime/ids.h"
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
  // How long to try to reach the coordinator (default: for ever), or, without one, the peers.
  absl::Duration join_timeout = absl::InfiniteDuration();
  std::function<void(const std::string&)> log;
  // Asked between attempts; true ends the wait with CANCELLED.
  std::function<bool()> stopped;
};

// FAILED_PRECONDITION: the swarm trains something else than the user insists on, or refuses us.
// DEADLINE_EXCEEDED: nobody answered within join_timeout. CANCELLED: `stopped`.
absl::StatusOr<v1::RunConfig> FindRun(Executor* control, Transport* transport,
                                      CoordinatorClient* coordinator,
                                      const BootstrapOptions& options);

// Registers with the coordinator, which from then on expects heartbeats, and returns the slot that it gives
// out. nullopt: it gave none within `patience`; whoever wants it asks on later.
// FAILED_PRECONDITION: it refuses us. ALREADY_EXISTS: another process runs with this id. CANCELLED: `stopped`.
absl::StatusOr<absl::optional<uint32_t>> TakeSlot(Executor* control, CoordinatorClient* coordinator,
                                                  RunId run, const BootstrapOptions& options);

}  // namespace starling

#endif  // STARLING_PEER_BOOTSTRAP_H_
