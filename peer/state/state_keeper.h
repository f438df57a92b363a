// A donor's side of state transfer: frozen copies of the parameters, kept while newcomers (and
// evaluators of the average) fetch them shard by shard.
//
// A copy is taken at a step boundary, so it is consistent; it costs one memcpy of the trainer's
// time, however slowly it is fetched. At most `copies` are kept, each for one to two times `idle`
// after its last use; asked for more, the keeper refuses as BUSY and the newcomer tries another
// donor or waits.
// Whoever asks within `share` of a copy's making gets the same copy.
//
// For newcomers that do not need a consistent copy there is LiveShards.
//
// Executor: control.

#ifndef STARLING_PEER_STATE_STATE_KEEPER_H_
#define STARLING_PEER_STATE_STATE_KEEPER_H_

#include <cstdint>
#include <map>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "peer/gossip/admission.h"
#include "peer/runtime/actor.h"
#include "peer/runtime/holding.h"
#include "peer/state/live_shards.h"
#include "peer/training/parameter_owner.h"
#include "peer/transport/transport.h"

namespace starling {

struct StateKeeperOptions {
  // Up: more newcomers at once, each costing one model of memory. Default 4.
  size_t copies = 4;
  // Up: slower newcomers are served; down: memory is free sooner. Default 20 s.
  absl::Duration idle = absl::Seconds(20);
  // Default 500 ms.
  absl::Duration share = absl::Milliseconds(500);
  LiveShardsOptions live;
};

class StateKeeper : public Actor {
 public:
  StateKeeper(Executor* control, ParameterOwner* parameters, const FrameIdentity& self,
              StateKeeperOptions options);

  // Freezes a copy, unless live shards are asked for; `done` gets the manifest, or a Refused (BUSY).
  void Hold(const v1::HoldState& request, absl::AnyInvocable<void(v1::ControlResponse)> done);
  void Release(uint64_t state_id);
  void AddHoldings(Holdings* holdings) const {
    holdings->push_back({"copies for newcomers", copies_.size() + pending_, options_.copies});
    live_.AddHoldings(holdings);
  }

  // A STATE_REQUEST: sends the shard on `reply`, or says why not.
  absl::optional<FrameFault> OnRequest(const Frame& frame, std::shared_ptr<ReplyPath> reply);

 private:
  struct Copy {
    Snapshot snapshot;
    v1::StateManifest manifest;
    absl::Time made;
    absl::Time used;
    int holders = 1;
  };

  void DropIdle();
  void ArmSweep();

  ParameterOwner* const parameters_;
  const FrameIdentity self_;
  const StateKeeperOptions options_;
  LiveShards live_;
  std::map<uint64_t, Copy> copies_;
  size_t pending_ = 0;
  uint64_t next_id_ = 1;
  bool sweep_armed_ = false;
};

}  // namespace starling

#endif  // STARLING_PEER_STATE_STATE_KEEPER_H_
