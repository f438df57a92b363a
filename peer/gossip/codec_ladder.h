// From the codec that was chosen down to coarser ones, each with fewer bytes for a whole exchange: the
// chosen one, bf16, int8, qsgd:bits=4, as far as they are smaller and may carry what is to be carried. Two
// bits would be fewer still, but exchanges through them need not agree; sparse codecs save nothing
// worth having beside requests of two bytes a number.
//
// Which rung is in use follows from what fits, and does not waver: one step coarser, or several, at once; one
// step finer only after kPatience exchanges in a row for which the finer would have fitted too. Where the
// finer does not fit for long, one exchange in so many is made with it.
//
// Pure. Not thread-safe.

#ifndef STARLING_PEER_GOSSIP_CODEC_LADDER_H_
#define STARLING_PEER_GOSSIP_CODEC_LADDER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/types/optional.h"
#include "peer/codec/codec.h"
#include "peer/gossip/shard_map.h"

namespace starling {

class CodecLadder {
 public:
  static constexpr size_t kPatience = 8;

  // Without rungs: nothing travels.
  CodecLadder() = default;
  // `values`: what is carried are parameters, not differences.
  CodecLadder(std::shared_ptr<const Codec> chosen, bool values, const ShardMap& shards);

  bool empty() const { return rungs_.empty(); }
  // In use since the last Choose; of a ladder that is not empty.
  const std::shared_ptr<const Codec>& codec() const { return rungs_[current_].codec; }
  // Of a whole exchange, at most; 0 if nothing travels.
  uint64_t bytes() const { return empty() ? 0 : rungs_[current_].bytes; }
  uint64_t most_bytes() const { return empty() ? 0 : rungs_.front().bytes; }
  uint64_t least_bytes() const { return empty() ? 0 : rungs_.back().bytes; }
  bool is_coarser() const { return current_ > 0; }
  // Of the rung above the one in use; if is_coarser().
  uint64_t finer_bytes() const { return rungs_[current_ - 1].bytes; }

  // Moves to the rung to use now; false if none fits, and then it stays. An empty ladder always fits.
  bool Choose(const std::function<bool(uint64_t bytes)>& fits);

  // Back to what was chosen.
  void Reset() { current_ = could_be_finer_ = 0; }

  // The finest rung, not finer than the one in use, that takes at most `bytes` for `elements` numbers, else
  // the coarsest.
  const std::shared_ptr<const Codec>& AtMost(uint64_t bytes, size_t elements) const;

 private:
  struct Rung {
    std::shared_ptr<const Codec> codec;
    uint64_t bytes;
  };
  std::vector<Rung> rungs_;
  size_t current_ = 0;
  size_t could_be_finer_ = 0;  // in a row
};

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_CODEC_LADDER_H_
