// Which rounds are global: every H-th, with H fixed (Gossip-PGA) or adapted to the loss (Gossip-AGA, arXiv
// 2105.09080):
//
//   warm-up, the first `kWarmUp` global rounds:  F0 = (F0 + F) / 2, H = H0
//   after:                                       H = ceil((F0 / F)^exponent H0), within [1, 64 H0]
//
// F is the mean loss over the members, which travels in the global round itself, so that everybody
// computes the same H. Who missed one (a newcomer) takes over the next global round that it hears of.
//
// Pure; owned by RoundsActor.

#ifndef STARLING_PEER_ROUNDS_GLOBAL_PERIOD_H_
#define STARLING_PEER_ROUNDS_GLOBAL_PERIOD_H_

#include <cstdint>

namespace starling {

class GlobalPeriod {
 public:
  static constexpr uint64_t kWarmUp = 4;

  // `every` 0: never. `exponent` 0: fixed.
  GlobalPeriod(uint64_t every, double exponent);

  bool IsGlobal(uint64_t round) const;
  // A global round has ended with that mean loss.
  void OnGlobal(uint64_t round, double mean_loss);
  // Somebody in `round` says when it expects the next one; `own_round` is where we are.
  void OnHeard(uint64_t next, uint64_t own_round);

  // First global round not over yet; 0 unless adaptive.
  uint64_t next() const { return adaptive() ? next_ : 0; }
  uint64_t every() const { return every_; }

 private:
  bool adaptive() const { return exponent_ > 0; }

  const uint64_t first_every_;
  const double exponent_;
  uint64_t every_;
  uint64_t next_;
  uint64_t seen_ = 0;
  double first_loss_ = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_ROUNDS_GLOBAL_PERIOD_H_
