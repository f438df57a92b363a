// A donor's side of a patchwork: shards as they are at the moment they are asked for, one by one, so that
// no copy of the whole is made, hashed or kept.
//
// Each costs the trainer one copy of the shard at a step boundary. `at_once` of them may wait for the
// trainer, so that a boundary never takes longer than so many copies, however many newcomers ask; as many
// again as `waiting` queue here; beyond that requests are refused as BUSY, and newcomers ask elsewhere.
//
// Executor: control.

#ifndef STARLING_PEER_STATE_LIVE_SHARDS_H_
#define STARLING_PEER_STATE_LIVE_SHARDS_H_

#include <cstddef>
#include <deque>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/types/optional.h"
#include "peer/gossip/admission.h"
#include "peer/runtime/actor.h"
#include "peer/runtime/holding.h"
#include "peer/training/parameter_owner.h"
#include "peer/transport/transport.h"

namespace starling {

struct LiveShardsOptions {
  // Copies at one step boundary: 4 MiB take 1 to 2 ms. Up: newcomers are served faster where steps are
  // long; down: a boundary takes less time. Default 4.
  size_t at_once = 4;
  // Requests that wait for a place. A newcomer has 8 under way. Default 64.
  size_t waiting = 64;
};

class LiveShards : public Actor {
 public:
  LiveShards(Executor* control, ParameterOwner* parameters, const FrameIdentity& self,
             LiveShardsOptions options);

  // What a newcomer needs to know first: a manifest without hashes, of state id 0; or Refused (BUSY).
  void Offer(absl::AnyInvocable<void(v1::ControlResponse)> done);

  // A STATE_REQUEST for state 0: sends the shard on `reply`, or says why not. One that repeats a request that still
  // waits takes its place.
  absl::optional<FrameFault> OnRequest(const Frame& frame, std::shared_ptr<ReplyPath> reply);

  void AddHoldings(Holdings* holdings) const {
    holdings->push_back({"shards owed to newcomers", waiting_.size(), options_.waiting});
  }

 private:
  struct Request {
    uint64_t newcomer;
    uint32_t shard;
    std::shared_ptr<ReplyPath> reply;
  };

  void Pump();

  ParameterOwner* const parameters_;
  const FrameIdentity self_;
  const LiveShardsOptions options_;
  std::deque<Request> waiting_;
  size_t copying_ = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_STATE_LIVE_SHARDS_H_
