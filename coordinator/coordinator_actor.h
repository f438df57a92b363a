// The coordinator at work: CoordinatorCore on an executor, with its timer, its log and those who
// watch it.
//
// Every method runs on the executor. Views are broadcast at the tick after a change, so that a
// hundred peers that join at once cost each watcher one view, not a hundred.

#ifndef STARLING_COORDINATOR_COORDINATOR_ACTOR_H_
#define STARLING_COORDINATOR_COORDINATOR_ACTOR_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/coordinator_core.h"
#include "coordinator/registry.h"
#include "peer/runtime/actor.h"
#include "peer/runtime/executor.h"
#include "peer/runtime/random.h"
#include "proto/coordinator.pb.h"
#include "proto/run.pb.h"
#include "proto/status.pb.h"

namespace starling {

// Somebody who wants to hear every event. Called on the actor's executor.
class SwarmWatcher {
 public:
  virtual ~SwarmWatcher() = default;
  virtual void OnEvent(const v1::SwarmEvent& event) = 0;
  // The coordinator shuts down; nothing follows.
  virtual void OnEnd() = 0;
};

class CoordinatorActor final : public Actor {
 public:
  static constexpr size_t kMailboxCapacity = 4096;
  // Watchers at most; each costs a stream and at most one view in memory.
  static constexpr size_t kMaxWatchers = 1024;

  // `log` gets the row of each member that changed.
  using Log = std::function<void(const v1::Member& member)>;

  CoordinatorActor(Executor* executor, const RegistryOptions& options, const v1::RunConfig& config,
                   uint64_t start_number, Random random, Log log);

  // Begins to tick.
  void Start();

  // As CoordinatorCore.
  absl::StatusOr<v1::JoinResponse> Join(const v1::JoinRequest& request);
  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request);
  void Leave(const v1::LeaveRequest& request);

  // Sends the view as it is and then every event. RESOURCE_EXHAUSTED: kMaxWatchers watch.
  // UNAVAILABLE: shutting down.
  absl::Status AddWatcher(std::shared_ptr<SwarmWatcher> watcher);
  void RemoveWatcher(const SwarmWatcher* watcher);
  // Ends every watch and refuses new ones.
  void CloseWatchers();

  // Without address and version, which the skin knows.
  v1::Status Status() const;

 private:
  void Tick();
  void LogChanges();

  const absl::Duration tick_;
  const absl::Time started_at_;
  const Log log_;
  CoordinatorCore core_;
  std::vector<std::shared_ptr<SwarmWatcher>> watchers_;
  bool closing_ = false;
};

}  // namespace starling

#endif  // STARLING_COORDINATOR_COORDINATOR_ACTOR_H_
