// Takes part in the rounds that the coordinator plans, one at a time: carries AveragingRound's
// actions to the network and to the owner of the parameters, and their answers back.
//
// Lives on the control executor; every method is called there. Waits for nobody: what does not
// arrive is missed at the round's deadline. A newer plan ends the round before it.
//
// The deadline is the coordinator's, who knows no lines: every participant tells it how long its transfers
// take (averaging_time), by the rounds before or, before the first, as gossip/exchange_deadline.h assumes.
// Nothing is sent again sooner than that.
//
// Bounds: one round; per participant one way back; per shard one contribution a participant. Work
// on the control executor: an owner averages a shard in one turn, about 1 ms for four contributions
// of 1 MiB.

#ifndef STARLING_PEER_AVERAGING_AVERAGING_ACTOR_H_
#define STARLING_PEER_AVERAGING_AVERAGING_ACTOR_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "peer/averaging/plan.h"
#include "peer/averaging/round.h"
#include "peer/gossip/exchange_timing.h"
#include "peer/gossip/shard_map.h"
#include "peer/runtime/actor.h"
#include "peer/runtime/buffer_pool.h"
#include "peer/runtime/executor.h"
#include "peer/runtime/ids.h"
#include "peer/training/parameter_owner.h"
#include "peer/transport/frame.h"
#include "peer/transport/transport.h"
#include "proto/coordinator.pb.h"
#include "proto/peer.pb.h"
#include "proto/status.pb.h"

namespace starling {

class AveragingActor : public Actor {
 public:
  struct Deps {
    Executor* control = nullptr;
    Transport* transport = nullptr;
    ParameterOwner* parameters = nullptr;
    BufferPool* buffers = nullptr;  // for averages of own shards
    PeerId self;
    ShardMap shards;
    // Where a peer listens; empty if that is not known now.
    std::function<std::string(PeerId)> address_of;
    // Sets what every frame of ours says: sender, incarnation, run, model fingerprint.
    std::function<void(v1::ShardHeader*)> fill_header;
  };

  // All pointers outlive the actor; `options` are valid.
  AveragingActor(const RoundOptions& options, Deps deps);

  // Starts the round. Does nothing (and returns OK) if a plan as new or newer was seen before.
  // INVALID_ARGUMENT: the plan makes no sense and was dropped.
  absl::Status OnPlan(const v1::RoundPlan& plan);

  // A REDUCE or AVERAGE frame that passed InspectFrame and concerns our run and model. A fault is
  // to be refused by the caller: as AveragingRound says, NOT_TRAINING after Stop, BAD_REQUEST for
  // other kinds of frames.
  absl::optional<FrameFault> OnFrame(const Frame& frame, std::shared_ptr<ReplyPath> reply);

  // A REFUSAL frame whose refused_kind is REDUCE or AVERAGE.
  void OnRefusal(const Frame& frame);

  // Ends the current round and takes part in no other.
  void Stop();

  v1::AveragingStatus Status() const;
  // How long the transfers of our part of a round take at least, by what is known.
  absl::Duration averaging_time() const;
  // The deadline of the last plan, and where it comes from.
  std::vector<v1::EffectiveValue> EffectiveValues() const;

 private:
  ExchangeTerms Terms() const;
  using Actions = AveragingRound::Actions;

  void Run(Actions actions);
  // Each returns what the round wants done because the action was impossible.
  Actions Do(AveragingRound::TakeSnapshot action);
  Actions Do(AveragingRound::SendReduce action);
  Actions Do(AveragingRound::SendAverage action);
  Actions Do(AveragingRound::ApplyDisplacement action);
  void OnSnapshot(RoundKey key, Snapshot snapshot);
  Frame MakeFrame(v1::FrameKind kind, uint32_t shard, SharedBytes payload) const;
  void SetTimer();
  void FinishRound();

  const RoundOptions options_;
  const Deps deps_;
  bool stopped_ = false;
  RoundKey newest_;                        // of the plans seen
  std::unique_ptr<AveragingRound> round_;  // null between rounds
  uint64_t snapshot_step_ = 0;
  absl::Time began_;
  bool completed_ = false;
  absl::Duration planned_deadline_;  // of the newest plan
  ExchangeTiming timing_{ExchangeTimingOptions()};
  std::map<PeerId, std::shared_ptr<ReplyPath>> ways_back_;  // to contributors, of this round
  TimerId timer_ = 0;
  absl::Time timer_at_ = absl::InfiniteFuture();
  v1::AveragingStatus finished_rounds_;
};

}  // namespace starling

#endif  // STARLING_PEER_AVERAGING_AVERAGING_ACTOR_H_
