// How many bits a bucket deserves (DQ-SGD, arXiv 2107.14575), and how to live within a budget.
//
// The noise of a bucket with s levels and norm N is in proportion to N / s. DQ-SGD keeps it the same
// everywhere: s = fineness * N, hence bits = log2(fineness * N + 1) + 1, rounded up and clamped to
// [3, 8] (the paper: [2, 8]; see levels.h). Large differences, early in a run or in a busy layer, take more bits than small ones.
//
// The paper solves for the fineness that uses up a budget of bits over the whole run; a peer that does
// not know what is still to come steers instead: after each payload, the fineness follows what was
// overspent or saved. Once half a payload's budget was overspent, buckets take 3 bits until it is made
// up for; so the budget, if it is at least what 3 bits take, is never exceeded by more than that half
// and one payload of 8 bits. What was saved is spent later, but no more than one payload's worth.
//
// Finenesses are whole sixteenths of an octave, so that their arithmetic is the same on every machine.
//
// Pure; a value type.

#ifndef STARLING_PEER_CODEC_BIT_BUDGET_H_
#define STARLING_PEER_CODEC_BIT_BUDGET_H_

#include <cstddef>
#include <cstdint>

namespace starling {

// Bits for a bucket of that norm >= 0; `fineness` > 0.
uint32_t BitsForNorm(double norm, double fineness);

class BitBudget {
 public:
  // `bits` to spend on each number, on average over all payloads.
  explicit BitBudget(double bits) : bits_(bits) {}

  // Of the payload at hand; 0 before Calibrate.
  double fineness() const { return calibrated_ ? FinenessAt(octaves16_) : 0; }
  // The fineness with which a bucket of that norm > 0 takes the bits of the budget, or a little less.
  static double FinenessFor(double norm, double bits) { return FinenessAt(StepsFor(norm, bits)); }
  // Where to begin.
  void Calibrate(double norm) {
    octaves16_ = StepsFor(norm, bits_);
    calibrated_ = true;
  }
  bool overspent() const { return overspent_; }

  // So many numbers were encoded in so many bits.
  void OnEncoded(size_t numbers, size_t bits);
  void EndPayload();

 private:
  // 2 to the power of steps / 16.
  static double FinenessAt(int steps);
  static int StepsFor(double norm, double bits);

  const double bits_;
  bool calibrated_ = false;
  int octaves16_ = 0;
  double balance_ = 0;  // bits that may still be spent; negative: overspent
  bool overspent_ = false;
  double payload_bits_ = 0;
  double payload_numbers_ = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_CODEC_BIT_BUDGET_H_
