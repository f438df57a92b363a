// A seeded, splittable source of random numbers: the same seed gives the same stream on every
// machine and compiler (std:: distributions do not promise that).
//
// `Split(label)` derives an independent stream from the seed and the label, without touching this
// stream; two parts of a program that split by different labels never influence each other. The
// generator is xoshiro256** (Blackman and Vigna, 2018) seeded through SplitMix64.
//
// A value type; not thread-safe.

#ifndef STARLING_PEER_RUNTIME_RANDOM_H_
#define STARLING_PEER_RUNTIME_RANDOM_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace starling {

class Random {
 public:
  explicit Random(uint64_t seed);

  Random Split(absl::string_view label) const;
  Random Split(uint64_t label) const;

  // Uniform over all 64-bit numbers.
  uint64_t Next();
  // Uniform over [0, 1), with 53 bits.
  double Uniform();
  // Uniform over {0, ..., bound - 1} without bias. bound > 0.
  uint64_t UniformInt(uint64_t bound);
  // True with probability p.
  bool Bernoulli(double p) { return Uniform() < p; }
  // Standard normal (polar method).
  double Normal();
  // Exponential with the given mean.
  double Exponential(double mean);
  // Gamma with the given shape > 0 and scale 1 (Marsaglia and Tsang, 2000).
  double Gamma(double shape);

  // Fisher-Yates.
  template <typename T>
  void Shuffle(std::vector<T>& values) {
    for (size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[UniformInt(i)]);
  }

 private:
  uint64_t seed_;
  uint64_t state_[4];
};

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_RANDOM_H_
