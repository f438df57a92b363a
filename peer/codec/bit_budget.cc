#include "peer/codec/bit_budget.h"

#include <algorithm>
#include <cmath>

#include "peer/codec/levels.h"

namespace starling {
namespace {

// Share of an imbalance that the next payload is to make up for.
constexpr double kGain = 0.5;
// No payload turns the fineness by more sixteenths of an octave than this.
constexpr double kLargestTurn = 32;
// Far beyond the norms of floats.
constexpr int kMostSteps = 16 * 200;

constexpr double kRoots[16] = {
    0x1.p+0, 0x1.0b5586cf9890fp+0, 0x1.172b83c7d517bp+0,
    0x1.2387a6e756238p+0, 0x1.306fe0a31b715p+0, 0x1.3dea64c123422p+0,
    0x1.4bfdad5362a27p+0, 0x1.5ab07dd485429p+0, 0x1.6a09e667f3bcdp+0,
    0x1.7a11473eb0187p+0, 0x1.8ace5422aa0dbp+0, 0x1.9c49182a3f090p+0,
    0x1.ae89f995ad3adp+0, 0x1.c199bdd85529cp+0, 0x1.d5818dcfba487p+0,
    0x1.ea4afa2a490dap+0};

}  // namespace

uint32_t BitsForNorm(double norm, double fineness) {
  uint32_t bits = kLeastBits;
  while (bits < kMostBits && LevelsOf(bits) < fineness * norm) ++bits;
  return bits;
}

double BitBudget::FinenessAt(int steps) {
  const int octave = steps >= 0 ? steps / 16 : -((15 - steps) / 16);
  return std::ldexp(kRoots[steps - 16 * octave], octave);
}

int BitBudget::StepsFor(double norm, double bits) {
  const int bits16 = static_cast<int>(16 * bits);
  const double wanted = (FinenessAt(bits16 - 16) - 1) / norm;
  int octave = 0;
  std::frexp(wanted, &octave);
  int steps = std::clamp(16 * octave, -kMostSteps, kMostSteps);
  while (steps > -kMostSteps && FinenessAt(steps) > wanted) --steps;
  return steps;
}

void BitBudget::OnEncoded(size_t numbers, size_t bits) {
  payload_numbers_ += static_cast<double>(numbers);
  payload_bits_ += static_cast<double>(bits);
}

void BitBudget::EndPayload() {
  if (payload_numbers_ == 0) return;
  const double allowed = bits_ * payload_numbers_;
  balance_ = std::min(balance_ + allowed - payload_bits_, allowed);
  overspent_ = balance_ < -allowed / 2;
  const double turn = std::clamp(16 * kGain * balance_ / payload_numbers_, -kLargestTurn,
                                 kLargestTurn);
  octaves16_ =
      std::clamp(octaves16_ + static_cast<int>(std::lround(turn)), -kMostSteps, kMostSteps);
  payload_bits_ = payload_numbers_ = 0;
}

}  // namespace starling
