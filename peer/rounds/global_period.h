// Which rounds are global: every H-th, with H fixed (Gossip-PGA) or adapted to the loss (Gossip-AGA, arXiv
// 2105.09080):
//
//   warm-up, the first `kWarmUp` global rounds:  F0 = (F0 + F) / 2, H = H0
//   after:                                       H = ceil((F0 / F)^exponent H0), within [1, kMostStretch H0]
//
// F is the mean loss over the members, which travels in the global round itself, so that everybody
// computes the same H. What F0 became is told to newcomers, who take it over; and whoever hears of a
// later next global round than its own goes by that, because somebody knows more: it missed one.
//
// Pure; owned by RoundsActor.

#ifndef STARLING_PEER_ROUNDS_GLOBAL_PERIOD_H_
#define STARLING_PEER_ROUNDS_GLOBAL_PERIOD_H_

#include <cstdint>

namespace starling {

class GlobalPeriod {
 public:
  static constexpr uint64_t kWarmUp = 4;
  static constexpr uint64_t kMostStretch = 64;

  // `every` 0: never. `exponent` 0: fixed.
  GlobalPeriod(uint64_t every, double exponent);

  bool IsGlobal(uint64_t round) const;
  // A global round has ended with that mean loss. One that is not finite and above 0 changes no period.
  void OnGlobal(uint64_t round, double mean_loss);
  // Somebody in round `its_round` says its next() and reference(). What is too far from that round to be
  // true is ignored.
  void OnHeard(uint64_t its_round, uint64_t next, double reference);

  // First global round not over yet; 0 unless adaptive.
  uint64_t next() const { return adaptive() ? next_ : 0; }
  // F0 after the warm-up; 0 before, and unless adaptive.
  double reference() const { return adaptive() && seen_ >= kWarmUp ? first_loss_ : 0; }
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
