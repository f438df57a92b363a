// A newcomer's way to its first parameters.
//
//   others still unknown ─▶ wait for the first word from the swarm, `settle` at most
//   somebody trains      ─▶ fetch parameters (StateFetcher) of one donor, or of several at once where
//                           the algorithm allows a patchwork; a donor that fails is followed by another,
//                           round and round with backoff, as long as anybody trains. What is here stays.
//                           Donors answer at the end of a step, so each is given two of its steps and half of
//                           the usual patience; where steps are not known yet, patience doubles with silence
//   nobody trains        ─▶ start from the seed: everybody who starts so has the same parameters;
//                           but if somebody did a moment ago, wait another `settle` for its return,
//                           for fresh parameters would spoil a trained swarm
//
// Executor: control.

#ifndef STARLING_PEER_STATE_JOINER_H_
#define STARLING_PEER_STATE_JOINER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "peer/runtime/actor.h"
#include "peer/runtime/random.h"
#include "peer/state/state_fetcher.h"

namespace starling {

// One who may be asked.
struct Donor {
  std::string address;
  absl::Duration step_time;  // 0: unknown
};

struct JoinerOptions {
  StateSourceOptions source;
  // Donors at once, if `mode` is kPatchwork. Up: faster where uplinks are narrow; each donor in use
  // holds one model of memory for us. Default 4.
  size_t donors = 4;
  // kPatchwork where peers exchange shards in pairs; kOneCopy where all should be equal.
  FetchMode mode = FetchMode::kOneCopy;
  // How long to wait for a first word of anybody before starting from the seed. Up: a slow swarm is
  // still found; down: the first peer of a swarm starts sooner. Default 3 s.
  absl::Duration settle = absl::Seconds(3);
  // Pause after every known donor failed; doubles up to 16 times. Default 200 ms.
  absl::Duration backoff = absl::Milliseconds(200);
  // Of the patience with a donor at most, see Joiner. Default 10 min.
  absl::Duration longest_patience = absl::Minutes(10);
};

class Joiner : public Actor {
 public:
  // `done` gets a donor's state, nullopt (start from the seed), or FAILED_PRECONDITION: the swarm
  // trains another model.
  Joiner(Executor* control, Transport* transport, BufferPool* pool, const FrameIdentity& self,
         Random random, JoinerOptions options, std::function<void(const std::string&)> log);

  // `request_template` carries sender and run id of control calls.
  void Start(v1::ControlRequest request_template,
             absl::AnyInvocable<void(absl::StatusOr<absl::optional<Snapshot>>)> done);
  void Stop();

  // What is known of the swarm: those that train now, and whether that is the first word of it (false
  // while no seed has answered or failed yet, or the coordinator has not answered).
  void OnSwarm(std::map<PeerId, Donor> donors, bool settled);

  // A STATE_REPLY or refusal of a STATE_REQUEST. False if nobody here waits for it.
  bool OnFrame(const Frame& frame);

  bool running() const { return done_ != nullptr; }

 private:
  void Decide();
  void DecideWithoutDonors();
  // Adds donors that failed no more often than `failures` until there are enough.
  void AddDonors(int failures);
  void OnLost(PeerId donor, absl::Status why);
  absl::Duration PatienceWith(const Donor& donor) const;
  void OnFetched(FetchedState state);
  void Finish(absl::StatusOr<absl::optional<Snapshot>> result);

  Transport* const transport_;
  BufferPool* const pool_;
  const FrameIdentity self_;
  const JoinerOptions options_;
  const std::function<void(const std::string&)> log_;

  Random random_;
  v1::ControlRequest request_template_;
  absl::AnyInvocable<void(absl::StatusOr<absl::optional<Snapshot>>)> done_;
  std::map<PeerId, Donor> donors_;
  std::map<PeerId, int> failures_;
  bool settled_ = false;
  int rounds_failed_ = 0;
  // With whom nothing is known of: doubled when donors were silent for as long.
  absl::Duration patience_;
  std::map<PeerId, absl::Duration> given_;  // patience with those in use
  bool pausing_ = false;
  // Donors were there and are gone: they may be back in a moment.
  absl::Time patient_until_ = absl::InfinitePast();
  bool patient_ = false;  // the timer for that is armed
  std::unique_ptr<StateFetcher> fetcher_;  // from the first donor on
};

}  // namespace starling

#endif  // STARLING_PEER_STATE_JOINER_H_
