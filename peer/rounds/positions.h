// Where the other members are in the rounds of one kind, and which round to begin next.
//
// Members number rounds alike as long as nobody falls behind. Whoever did goes where others are to be met:
// not to the highest number it has heard of, for one member may run ahead of all others for a while (one
// that is alone in every other round, say), and members that follow it from different numbers pass
// each other by for ever.
//
// Pure; no executor.

#ifndef STARLING_PEER_ROUNDS_POSITIONS_H_
#define STARLING_PEER_ROUNDS_POSITIONS_H_

#include <cstdint>
#include <map>

#include "absl/time/time.h"
#include "peer/runtime/ids.h"

namespace starling {

class Positions {
 public:
  // In a directed topology members may be ahead of each other by a few rounds; whoever is further behind
  // than this leaves out what it missed.
  static constexpr uint64_t kFarBehind = 16;

  // `peer` has begun round `number`. Earlier numbers of it are forgotten, later ones count as long as they
  // are not older than `valid`, for it may have begun anew.
  void OnHeard(absl::Time now, PeerId peer, uint64_t number, absl::Duration valid);
  void Forget(PeerId peer) { positions_.erase(peer); }

  // The round to begin for a member whose next would be `next`; `behind`: somebody refused a round
  // of its because it is over. Of what was heard in the last `valid`:
  //   * somebody is far ahead: the least number that is far ahead;
  //   * `behind`: the least number from `next` on;
  //   * else `next`.
  uint64_t Choose(absl::Time now, uint64_t next, bool behind, absl::Duration valid) const;

  size_t size() const { return positions_.size(); }

 private:
  struct Position {
    uint64_t number;
    absl::Time heard;
  };
  std::map<PeerId, Position> positions_;
};

}  // namespace starling

#endif  // STARLING_PEER_ROUNDS_POSITIONS_H_
