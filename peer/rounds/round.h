// One round as one member sees it: the interface of its two kinds, ReduceRound and NeighbourRound.
//
// A round begins with the member's own contribution and ends with its mix: of what came in, whoever
// failed to deliver left out. It always ends, at its deadline at the latest. Afterwards it is kept for
// a while and goes on answering members that are behind.
//
// Pure: (now, input) -> frames to send. Nothing from the network changes anything unless every check on
// it passes. Not thread-safe.

#ifndef STARLING_PEER_ROUNDS_ROUND_H_
#define STARLING_PEER_ROUNDS_ROUND_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "peer/gossip/shard_map.h"
#include "peer/runtime/ids.h"
#include "peer/runtime/shared_bytes.h"
#include "peer/transport/frame.h"

namespace starling {

// What a member brings: the vector, cut by `shards`, and what is said beside it.
struct RoundInput {
  SharedBytes values;
  ShardMap shards;
  double mass = 1;
  double loss = 0;
};

struct RoundResult {
  SharedBytes mixed;  // as long as the contribution
  double mass = 1;
  double loss = 0;      // mean over the contributors, of a ReduceRound; else the own
  uint32_t missed = 0;  // shards that lack somebody's values
};

class Round {
 public:
  struct Send {
    PeerId to;
    v1::FrameKind kind = v1::FRAME_KIND_UNSPECIFIED;
    uint32_t shard = 0;
    SharedBytes values;
    double mass = 0;
    double loss = 0;
    std::shared_ptr<const std::vector<PeerId>> contributors;
  };
  using Sends = std::vector<Send>;
  // `fault` set: the frame is to be refused with it.
  struct Outcome {
    absl::optional<FrameFault> fault;
    Sends sends;
  };

  virtual ~Round() = default;

  // How the vector of this round is cut.
  virtual const ShardMap& shards() const = 0;

  virtual Sends Begin(absl::Time now) = 0;
  // To be called at NextWake(), which is InfiniteFuture once there is nothing more to do by itself.
  virtual Sends OnTime(absl::Time now) = 0;
  virtual absl::Time NextWake() const = 0;
  // A frame that passed InspectFrame and names this round. WRONG_LENGTH: its geometry is not ours.
  // BAD_REQUEST: its sender has no part in what it brings, or comes too late. OUT_OF_SCALE: as CheckScale.
  virtual Outcome OnFrame(absl::Time now, const v1::ShardHeader& header, SharedBytes payload) = 0;
  // The members are these now (ascending, self included).
  virtual Sends OnMembers(absl::Time now, const std::vector<PeerId>& members) = 0;
  // `peer` has refused us: nothing more is expected of it.
  virtual Sends OnAbsent(absl::Time now, PeerId peer) = 0;
  // Somebody has gone on without us: what does not come within a retry will not come.
  virtual void OnBehind(absl::Time /*now*/) {}
  // The own mix is complete. Stays true.
  virtual bool ended() const = 0;
  // Once, after ended().
  virtual RoundResult TakeResult() = 0;
};

// WRONG_LENGTH if a frame of a round does not fit the vector.
absl::optional<FrameFault> CheckGeometry(const ShardMap& shards, const v1::ShardHeader& header,
                                         size_t payload_bytes, bool has_payload);
// OUT_OF_SCALE if `incoming` is far beyond `own`, the member's own part of the same shard (gossip/data_gate.h).
absl::optional<FrameFault> CheckScale(const SharedBytes& incoming, const SharedBytes& own);

}  // namespace starling

#endif  // STARLING_PEER_ROUNDS_ROUND_H_
