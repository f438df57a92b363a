// A newcomer's side of state transfer: fetches one consistent copy of a donor's parameters, verified
// by hash, tolerating loss, repetition and reordering on the way.
//
//   hold ─▶ manifest ─▶ requests, at most `window` shards at a time ─▶ all here ─▶ hash ─▶ done
//
// Each shard must match the manifest's hash of it, the whole must match the hash of the whole. When no
// shard has come for a while, those missing are asked for again; a donor that delivers nothing for
// `patience` is given up. When it ends it tells the donor to let go of the copy; a copy that nobody lets
// go of is dropped by the donor after a while. One fetch per object; destroy it to cancel.
//
// Executor: control.

#ifndef STARLING_PEER_STATE_STATE_FETCHER_H_
#define STARLING_PEER_STATE_STATE_FETCHER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "peer/gossip/admission.h"
#include "peer/runtime/actor.h"
#include "peer/runtime/buffer_pool.h"
#include "peer/training/parameter_owner.h"
#include "peer/transport/transport.h"

namespace starling {

struct StateFetcherOptions {
  // Shards asked for and not yet here. Up: faster on long links, more memory in flight.
  uint32_t window = 8;
  // Shards missing are asked for again after a silence of twice the last time between two shards,
  // but not less than this and not more than an eighth of the patience.
  // Up: fewer shards are asked for twice; down: losses are made good sooner. Default 1 s.
  absl::Duration retry = absl::Seconds(1);
  // Longest silence. Default 10 s.
  absl::Duration patience = absl::Seconds(10);
};

class StateFetcher : public Actor {
 public:
  // Calls `done` once: the state, or UNAVAILABLE (donor unreachable, busy or silent),
  // FAILED_PRECONDITION (other model or run), DATA_LOSS (the hash of the whole does not match).
  StateFetcher(Executor* control, Transport* transport, BufferPool* pool, const FrameIdentity& self,
               v1::ControlRequest request_template, PeerId donor, std::string address,
               StateFetcherOptions options,
               absl::AnyInvocable<void(absl::StatusOr<Snapshot>)> done);

  void Start();

  PeerId donor() const { return donor_; }
  // A STATE_REPLY or a REFUSAL of a STATE_REQUEST, admitted. False if it is not of this fetch.
  bool OnFrame(const Frame& frame);

 private:
  void OnManifest(absl::StatusOr<v1::ControlResponse> response);
  void RequestMore();
  void Request(uint32_t shard);
  void ArmRetry();
  absl::Duration LongestQuiet() const;
  absl::Status RefusalError(v1::RefusalReason reason, absl::string_view detail) const;
  void Finish(absl::StatusOr<Snapshot> result);

  Transport* const transport_;
  BufferPool* const pool_;
  const FrameIdentity self_;
  const v1::ControlRequest request_template_;
  const PeerId donor_;
  const std::string address_;
  const StateFetcherOptions options_;

  absl::AnyInvocable<void(absl::StatusOr<Snapshot>)> done_;
  v1::StateManifest manifest_;
  MutableBuffer values_;
  std::vector<bool> here_;
  uint32_t next_ = 0;       // shards below were asked for
  uint32_t received_ = 0;
  absl::Time last_heard_;  // when the last right shard came, repetitions included
  absl::Time last_retry_ = absl::InfinitePast();
  absl::Duration quiet_;  // silence after which the missing are asked for again
};

}  // namespace starling

#endif  // STARLING_PEER_STATE_STATE_FETCHER_H_
