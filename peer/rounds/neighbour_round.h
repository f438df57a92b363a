// Each member sends its vector to its neighbours of the round and mixes what its own neighbours send:
//
//   mixed = own + sum over those that delivered of weight (theirs - own)
//
// or, for push-sum, every member shares its mass evenly between itself and those it sends to, and takes
// the mean of what came, weighted by the masses; the weights above are not used:
//
//   share = mass / (out + 1);   mass' = share + sum of theirs;   mixed = weighted mean
//
// Neighbours may differ from shard to shard. What has not come by the retry time is asked for. A
// neighbour that does not deliver is left out, and the own values take its weight: rows of the matrix
// still sum to 1, but the sum over the members may move. For push-sum the own share is taken back for
// each that is missing, as if nothing had been sent there either: masses may grow by that, and never
// dwindle.

#ifndef STARLING_PEER_ROUNDS_NEIGHBOUR_ROUND_H_
#define STARLING_PEER_ROUNDS_NEIGHBOUR_ROUND_H_

#include <map>
#include <vector>

#include "peer/rounds/round.h"
#include "peer/rounds/round_clock.h"
#include "peer/runtime/buffer_pool.h"

namespace starling {

class NeighbourRound final : public Round {
 public:
  struct Links {
    std::map<PeerId, double> in;  // with weights, whose sum is at most 1
    std::vector<PeerId> out;
  };

  // `links` has an entry for each shard; `buffers` outlives the round.
  NeighbourRound(std::vector<Links> links, RoundInput input, bool moves_mass, RoundTimes times,
                 BufferPool* buffers);

  const ShardMap& shards() const override { return input_.shards; }
  Sends Begin(absl::Time now) override;
  Sends OnTime(absl::Time now) override;
  absl::Time NextWake() const override;
  Outcome OnFrame(absl::Time now, const v1::ShardHeader& header, SharedBytes payload) override;
  Sends OnMembers(absl::Time now, const std::vector<PeerId>& members) override;
  Sends OnAbsent(absl::Time now, PeerId peer) override;
  bool ended() const override { return expected_ == 0; }
  RoundResult TakeResult() override;

 private:
  struct Source {
    double weight = 0;
    bool expected = true;
    SharedBytes values;  // empty: not delivered
    double mass = 0;
  };

  SharedBytes Slice(uint32_t shard) const;
  Send ValuesFor(PeerId peer, uint32_t shard) const;
  void NoLongerExpect(Source& source);
  double ShareOf(uint32_t shard) const;
  // Returns the mass after the mix.
  double MixShard(uint32_t shard, absl::Span<float> mixed) const;

  const RoundInput input_;
  const bool moves_mass_;
  RoundClock clock_;
  BufferPool* const buffers_;

  std::vector<std::map<PeerId, Source>> sources_;  // for each shard
  std::vector<std::vector<PeerId>> out_;
  size_t expected_ = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_ROUNDS_NEIGHBOUR_ROUND_H_
