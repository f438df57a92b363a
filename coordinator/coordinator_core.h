// The coordinator without threads and sockets: registry, round planner and run configuration
// behind the calls of CoordinatorService. The daemon runs it on an Asio strand, the simulator on
// its event heap.
//
// Not thread-safe. Every method takes the present time, which never goes back.

#ifndef STARLING_COORDINATOR_COORDINATOR_CORE_H_
#define STARLING_COORDINATOR_COORDINATOR_CORE_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "coordinator/registry.h"
#include "coordinator/round_planner.h"
#include "peer/runtime/ids.h"
#include "peer/runtime/random.h"
#include "proto/coordinator.pb.h"
#include "proto/run.pb.h"
#include "proto/status.pb.h"

namespace starling {

class CoordinatorCore {
 public:
  // `config` is complete and valid. `start_number` as for Registry. `random` names peers that come
  // without an id.
  CoordinatorCore(const RegistryOptions& options, const v1::RunConfig& config,
                  uint64_t start_number, Random random, absl::Time now);

  // Codes as proto/coordinator.proto and Registry::Join state them.
  absl::StatusOr<v1::JoinResponse> Join(absl::Time now, const v1::JoinRequest& request);
  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(absl::Time now,
                                                  const v1::HeartbeatRequest& request);
  void Leave(absl::Time now, const v1::LeaveRequest& request);
  // Evicts, forgets and plans. Call about ten times per heartbeat: a gap longer than a heartbeat
  // means that this process was stopped, and gives everybody a new grace.
  void Tick(absl::Time now);

  // What watchers must hear since the last call: the newest view if it changed, then the rounds.
  std::vector<v1::SwarmEvent> TakeEvents();
  // What the log should say since the last call: rows as they were after each change.
  std::vector<v1::Member> TakeChanges() { return registry_.TakeChanges(); }

  v1::SwarmView View() const;
  v1::CoordinatorStatus Status() const;
  const v1::RunConfig& config() const { return config_; }
  RunId run_id() const { return run_id_; }
  bool started() const { return started_; }

 private:
  absl::Status CheckExpectations(const v1::JoinRequest& request) const;
  void NoteStart();

  const RegistryOptions options_;
  const v1::RunConfig config_;
  const RunId run_id_;
  Random random_;
  Registry registry_;
  RoundPlanner planner_;
  bool started_ = false;
  absl::Time last_tick_;
  uint64_t announced_epoch_;
  std::vector<v1::RoundPlan> plans_;
};

}  // namespace starling

#endif  // STARLING_COORDINATOR_COORDINATOR_CORE_H_
