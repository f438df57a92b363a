// Everybody's mean, by reduction: each member sends each shard of its vector to the shard's owner and
// gets the mean back, 2(n-1)/n of the vector per member in all.
//
// The vector is cut into 16 parts at least, if they do not become smaller than 4,096 numbers: a model of one shard
// would have one owner, through whose link everything would go.
//
// The owner of a part (shard, below) is the member with the highest hash of (round, shard, id), so that two members
// whose views differ by one peer still agree on nearly every owner, and the work wanders from round to
// round. Where they disagree, a contribution comes to somebody who does not think itself the owner; it is
// ignored, and sent again later to whom the views, which converge, then name.
//
// An owner averages when all members that it knows of have contributed, or at 0.6 of the deadline
// whoever has: the mean is that of the contributors. It answers a repeated contribution with the mean
// that it has formed, also after its own round has ended. A shard whose owner refuses us, because it is
// gone on or stops, or that is late, keeps the member's own values.

#ifndef STARLING_PEER_ROUNDS_REDUCE_ROUND_H_
#define STARLING_PEER_ROUNDS_REDUCE_ROUND_H_

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "peer/averaging/shard_reduction.h"
#include "peer/rounds/round.h"
#include "peer/rounds/round_clock.h"
#include "peer/runtime/buffer_pool.h"

namespace starling {

class ReduceRound final : public Round {
 public:
  // Up: the work is more even, with a spread of sqrt(members / parts) of it, and more frames are sent.
  static constexpr size_t kParts = 16;
  static constexpr size_t kLeastPart = 4096;

  // `members` are ascending and include `self`; `buffers` outlives the round. `number` is the round's.
  // input.shards is cut finer, as said above.
  ReduceRound(uint64_t number, std::vector<PeerId> members, PeerId self, RoundInput input,
              RoundTimes times, BufferPool* buffers);

  const ShardMap& shards() const override { return input_.shards; }
  Sends Begin(absl::Time now) override;
  Sends OnTime(absl::Time now) override;
  absl::Time NextWake() const override;
  Outcome OnFrame(absl::Time now, const v1::ShardHeader& header, SharedBytes payload) override;
  Sends OnMembers(absl::Time now, const std::vector<PeerId>& members) override;
  Sends OnAbsent(absl::Time now, PeerId peer) override;
  void OnBehind(absl::Time now) override;
  bool ended() const override { return open_parts_ == 0; }
  RoundResult TakeResult() override;

  static PeerId OwnerOf(const std::vector<PeerId>& members, uint64_t number, uint32_t shard);

 private:
  struct Part {
    PeerId owner;
    bool open = true;  // its mean may still come
    SharedBytes mean;  // empty: the own values stay
  };
  struct Owned {
    ShardReduction reduction;
    std::map<PeerId, double> losses;
    double loss = 0;  // mean over the contributors, once averaged
  };

  SharedBytes Slice(uint32_t shard) const;
  // Sends the shard to its owner, or takes it in if that is us.
  void Contribute(uint32_t shard, Sends* sends);
  void CloseWhatIsComplete(Sends* sends);
  bool AllIn(const Owned& owned) const;
  void Close(uint32_t shard, Sends* sends);
  void EndPart(uint32_t shard, SharedBytes mean);
  Send MeanFor(PeerId peer, uint32_t shard, const Owned& owned) const;

  const uint64_t number_;
  const PeerId self_;
  const RoundInput input_;
  const RoundTimes times_;
  RoundClock clock_;
  BufferPool* const buffers_;

  std::vector<PeerId> members_;
  std::vector<Part> parts_;
  std::map<uint32_t, Owned> owned_;
  std::set<PeerId> absent_;
  uint32_t open_parts_;
  double loss_;
  absl::Time close_at_ = absl::InfiniteFuture();
};

}  // namespace starling

#endif  // STARLING_PEER_ROUNDS_REDUCE_ROUND_H_
