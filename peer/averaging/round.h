// One global averaging round as one participant sees it. README.md draws it.
//
// Every participant wears two hats. As a contributor it takes one snapshot of its parameters, sends
// each shard of it to the shard's owner and, when the average of the shard comes back, asks for the
// displacement `average - snapshot` to be added to whatever its parameters are by then: at most
// once a shard. As the owner of its own shards it collects contributions, averages each shard when
// all participants have contributed or half of the round has passed, and sends the average to those
// who are in it and to nobody else. So if everybody contributes and applies, the weighted sum over
// the participants does not change, however many local steps were made in between.
//
// Frames may be lost, repeated and reordered: a contribution is sent again until its average comes;
// the owner answers a repeated one with the average it has already formed. A contributor that
// vanishes is left out; a shard whose owner vanishes stays as it is and counts as missed. At the
// deadline everything is let go of. An owner that fails to reach a contributor in time leaves the
// sum displaced by that contributor's share; the contributor counts the shard as missed.
//
// Pure: (now, input) -> actions, in the order in which they are to be done. Nothing from the
// network changes anything unless every check on it passes. The caller calls Advance at NextWake().
// Not thread-safe. Memory: the snapshot until everything is averaged, the others' contributions to
// own shards until they close, the averages of own shards until the deadline: about two models at
// most.

#ifndef STARLING_PEER_AVERAGING_ROUND_H_
#define STARLING_PEER_AVERAGING_ROUND_H_

#include <cstdint>
#include <map>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "peer/averaging/plan.h"
#include "peer/averaging/shard_reduction.h"
#include "peer/gossip/shard_map.h"
#include "peer/runtime/buffer_pool.h"
#include "peer/runtime/ids.h"
#include "peer/runtime/shared_bytes.h"
#include "peer/transport/frame.h"

namespace starling {

// Contributions with weights outside are refused: sums must neither overflow nor vanish.
inline constexpr double kMinContributionWeight = 1e-9;
inline constexpr double kMaxContributionWeight = 1e9;

struct RoundOptions {
  // This peer's weight in the mean. Up: the average lies nearer to this peer.
  double weight = 1;
  // Part of the deadline during which an owner waits for contributions. Up: slow peers still get
  // in; down: more time is left to repair lost averages.
  double contribution_share = 0.5;
  // A contribution is repeated every max(min_retry, retry_share * deadline). Down: losses are
  // repaired sooner; up: less is sent twice while an owner waits for a slow participant.
  absl::Duration min_retry = absl::Milliseconds(500);
  double retry_share = 0.1;
  // Pause before asking an owner again that has not got the plan yet. Plans reach all participants
  // within about a round-trip of each other.
  absl::Duration unknown_round_pause = absl::Milliseconds(200);
  // Pause before asking a trainer again whose mailbox was full; a few training steps.
  absl::Duration busy_trainer_pause = absl::Milliseconds(50);

  // INVALID_ARGUMENT, naming the field.
  absl::Status Validate() const;
};

class AveragingRound {
 public:
  // What the caller is to do.
  struct TakeSnapshot {};  // answer with OnSnapshot or OnSnapshotRefused
  struct SendReduce {
    PeerId owner;
    uint32_t shard;
    double weight;
    SharedBytes values;  // a slice of the snapshot
  };
  struct SendAverage {
    PeerId contributor;
    uint32_t shard;
    Contributors contributors;
    SharedBytes average;
  };
  struct ApplyDisplacement {  // if that is impossible now: OnApplyRefused
    uint32_t shard;
    SharedBytes average;
    SharedBytes snapshot;  // this shard of it
  };
  using Action = std::variant<TakeSnapshot, SendReduce, SendAverage, ApplyDisplacement>;
  using Actions = std::vector<Action>;

  // `fault` set: the frame is to be refused with it.
  struct Outcome {
    absl::optional<FrameFault> fault;
    Actions actions;
  };

  // `options` are valid, there is at least one shard, `buffers` outlives the round. A round in
  // which `self` has no part, or which it has to itself, is over from the start.
  AveragingRound(const RoundOptions& options, AveragingPlan plan, PeerId self, ShardMap shards,
                 BufferPool* buffers, absl::Time now);

  // Does what is due at `now`: to be called once at the start and then at NextWake().
  Actions Advance(absl::Time now);
  // InfiniteFuture once the round is over.
  absl::Time NextWake() const;

  // `values` is the whole vector. A snapshot that holds NaN or infinity contributes nothing.
  Actions OnSnapshot(absl::Time now, SharedBytes values);
  Actions OnSnapshotRefused(absl::Time now);
  Actions OnApplyRefused(absl::Time now, ApplyDisplacement apply);

  // Frames that passed InspectFrame. Faults: WRONG_EPOCH and UNKNOWN_ROUND as CheckRound, and the
  // latter once the round is over; WRONG_LENGTH if the geometry differs from ours; OUT_OF_SCALE
  // beside our own contribution (gossip/data_gate.h); BAD_REQUEST from a peer, to an owner or with a weight that cannot be, and for a contribution that is too late.
  Outcome OnReduce(absl::Time now, const v1::ShardHeader& header, SharedBytes payload);
  Outcome OnAverage(absl::Time now, const v1::ShardHeader& header, SharedBytes payload);
  // An owner refused a contribution. UNKNOWN_ROUND: sent again soon; CORRUPT and BUSY: sent again
  // in its turn; all else will not change by asking again. An average that comes all the same
  // counts.
  Actions OnRefusal(absl::Time now, const v1::ShardHeader& header);

  // The caller stops the round before its deadline.
  void End();

  const AveragingPlan& plan() const { return plan_; }
  // Whether this peer takes part together with others.
  bool joined() const { return joined_; }
  bool over() const { return over_; }
  // Shards whose displacement was handed out and not refused.
  uint32_t applied() const { return applied_; }
  // Every shard applied.
  bool complete() const { return joined_ && applied_ == shards_.count(); }
  // Shards that were contributed and will not be averaged any more; 0 until the round is over.
  uint32_t missed() const { return missed_; }

 private:
  // This peer's share in one shard.
  struct Part {
    bool contributed = false;
    bool averaged = false;  // its average has come, or was formed here
    absl::Time send_at = absl::InfiniteFuture();
  };

  void DoWhatIsDue(absl::Time now, Actions* actions);
  void Contribute(absl::Time now, Actions* actions);
  void Send(absl::Time now, uint32_t shard, Actions* actions);
  void Close(uint32_t shard, Actions* actions);
  void Apply(uint32_t shard, SharedBytes average, Actions* actions);
  SharedBytes OwnShard(uint32_t shard) const;
  absl::optional<FrameFault> CheckFrame(const v1::ShardHeader& header, size_t bytes) const;

  const AveragingPlan plan_;
  const PeerId self_;
  const ShardMap shards_;
  BufferPool* const buffers_;
  const double weight_;
  const absl::Duration retry_;
  const absl::Duration unknown_round_pause_;
  const absl::Duration busy_trainer_pause_;
  const absl::Time close_at_;
  const absl::Time deadline_;

  bool joined_ = false;
  bool over_ = false;
  bool closed_ = false;  // close_at_ has passed
  absl::Time snapshot_at_;  // when to ask for the snapshot; InfiniteFuture once asked
  bool contributed_ = false;
  SharedBytes snapshot_;  // from contributing until every shard is averaged
  std::vector<Part> parts_;
  std::map<uint32_t, ShardReduction> owned_;
  struct Postponed {
    absl::Time at;
    ApplyDisplacement apply;
  };
  std::map<uint32_t, Postponed> postponed_;  // the trainer was busy
  uint32_t applied_ = 0;
  uint32_t missed_ = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_AVERAGING_ROUND_H_
