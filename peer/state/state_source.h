// One donor of a state transfer, seen from the newcomer: the shards of its parameters that are under way, tolerating loss, repetition and reordering.
//
//   hold ─▶ manifest ─▶ requests, at most `window` shards at a time ─▶ … ─▶ release
//
// The donor freezes a copy, and each shard must match the manifest's hash of it; or the source is live,
// the donor freezes nothing, and each shard is what it was when the donor sent it (its frame's hash was
// checked by the transport). When no shard has come for a while, those under way
// are asked for again; a donor that delivers nothing for `patience` is lost. Which shards, the owner says.
//
// Nobody has to guess how fast the line is: with t = what a shard takes at 1 Mbit/s (8 s for 1 MiB)
//
//   quiet     max(retry, t / 4) before the first shard, doubled each time it was in vain; then twice the time
//             between the last two, not less than that, nor more than max(retry, patience / 8, 2 t)
//   patience  max(patience, patience / 2 + 2 t, twice the time between the last two)
//
// Asked for sooner, shards that are under way would be sent again and again, and clog the line for good.
//
// Executor: control.

#ifndef STARLING_PEER_STATE_STATE_SOURCE_H_
#define STARLING_PEER_STATE_STATE_SOURCE_H_

#include <cstdint>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "peer/gossip/admission.h"
#include "peer/runtime/actor.h"
#include "peer/transport/transport.h"

namespace starling {

struct StateSourceOptions {
  // Shards asked of one donor and not yet here. Up: faster on long links, more memory in flight.
  uint32_t window = 8;
  // Shards missing are asked for again after a silence of at least this.
  // Up: fewer shards are asked for twice; down: losses are made good sooner. Default 1 s.
  absl::Duration retry = absl::Seconds(1);
  // Longest silence, where shards are small. A donor answers at the end of a step, so no less than two of its
  // steps. Default 10 s.
  absl::Duration patience = absl::Seconds(10);
};

class StateSource : public Actor {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    // What the donor holds, of our model. An error lets go of the donor, for that reason.
    virtual absl::Status OnManifest(StateSource& source) = 0;
    // The shard to ask this donor for, or nullopt.
    virtual absl::optional<uint32_t> NextShard(const StateSource& source) = 0;
    // A shard that was asked for came, as the donor had it at `step`. False if nothing more is wanted.
    virtual bool OnShard(StateSource& source, uint32_t shard, const SharedBytes& values,
                         uint64_t step) = 0;
    // The end of this source: DEADLINE_EXCEEDED (silent), UNAVAILABLE (unreachable, busy), FAILED_PRECONDITION
    // (other model or run), or what OnManifest said. It is not destroyed in here.
    virtual void OnLost(StateSource& source, absl::Status why) = 0;
  };

  // `request_template` carries sender and run id of control calls.
  StateSource(Executor* control, Transport* transport, Owner* owner, const FrameIdentity& self,
              v1::ControlRequest request_template, PeerId donor, std::string address, bool live,
              StateSourceOptions options);

  void Start();
  // Asks for as many shards as the window and the owner allow.
  void RequestMore();
  // Came from somebody else.
  void Forget(uint32_t shard) { asked_.erase(shard); }
  // Lets the donor know that it need not hold the copy any longer. Nothing is heard of the source
  // from now on.
  void End();

  // A STATE_REPLY or a REFUSAL of a STATE_REQUEST, admitted. False if it is not of this source.
  bool OnFrame(const Frame& frame);

  PeerId donor() const { return donor_; }
  const std::string& address() const { return address_; }
  // Empty until it came.
  const v1::StateManifest& manifest() const { return manifest_; }
  bool has_manifest() const { return held_; }
  // Under way.
  const std::set<uint32_t>& asked() const { return asked_; }
  uint32_t received() const { return received_; }
  bool ended() const { return ended_; }

 private:
  void OnHeld(absl::StatusOr<v1::ControlResponse> response);
  void Request(uint32_t shard);
  void ArmRetry();
  absl::Duration FirstQuiet() const;
  absl::Duration LongestQuiet() const;
  absl::Duration Patience() const;
  absl::Status RefusalError(v1::RefusalReason reason, absl::string_view detail) const;
  std::string Name() const;
  void Lose(absl::Status why);

  Transport* const transport_;
  Owner* const owner_;
  const FrameIdentity self_;
  const v1::ControlRequest request_template_;
  const PeerId donor_;
  const std::string address_;
  const bool live_;
  const StateSourceOptions options_;

  v1::StateManifest manifest_;
  bool held_ = false;
  std::set<uint32_t> asked_;
  uint32_t received_ = 0;
  bool ended_ = false;
  absl::Time last_heard_;  // when the last right shard came, repetitions included
  absl::Time last_retry_ = absl::InfinitePast();
  absl::Duration gap_;    // between the last two shards
  absl::Duration quiet_;  // silence after which the missing are asked for again
};

}  // namespace starling

#endif  // STARLING_PEER_STATE_STATE_SOURCE_H_
