// The owner's half of a round for one shard: collects contributions, then averages them once.
//
// Contributions are kept as references to the memory they arrived in and summed only when the shard
// closes, in the order of peer ids. So the average does not depend on the order of arrival, and
// equal contributions give equal bits on any owner. The price is memory: until it closes a shard
// holds one copy per contributor, over all shards of an owner about one model
// (n contributors * 1/n of the shards). Closing lets go of them and keeps the average alone.
//
// Open, then Averaged or Abandoned for good. Pure; not thread-safe.

#ifndef STARLING_PEER_AVERAGING_SHARD_REDUCTION_H_
#define STARLING_PEER_AVERAGING_SHARD_REDUCTION_H_

#include <map>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "peer/runtime/buffer_pool.h"
#include "peer/runtime/ids.h"
#include "peer/runtime/shared_bytes.h"

namespace starling {

using Contributors = std::shared_ptr<const std::vector<PeerId>>;

class ShardReduction {
 public:
  // Open: the first contribution of a peer counts, its later ones are ignored. Closed: ignored.
  // The caller has checked that the peer takes part and that the length is the shard's.
  void Add(PeerId peer, double weight, SharedBytes values);

  // Drops contributions that are out of scale beside `own` (gossip/data_gate.h). Only while open.
  void Screen(absl::Span<const float> own);

  size_t contributions() const { return contributions_.size(); }

  // Averages what is there; abandons the shard if that is fewer than two, whose mean would change
  // nothing. Only while open.
  void Close(BufferPool* buffers);

  bool open() const { return state_ == State::kOpen; }
  bool averaged() const { return state_ == State::kAveraged; }

  // Once averaged.
  const SharedBytes& average() const { return average_; }
  const Contributors& contributors() const { return contributors_; }  // ascending
  bool Includes(PeerId peer) const;

 private:
  enum class State { kOpen, kAveraged, kAbandoned };
  struct Contribution {
    double weight;
    SharedBytes values;
  };

  State state_ = State::kOpen;
  std::map<PeerId, Contribution> contributions_;
  SharedBytes average_;
  Contributors contributors_;
};

}  // namespace starling

#endif  // STARLING_PEER_AVERAGING_SHARD_REDUCTION_H_
