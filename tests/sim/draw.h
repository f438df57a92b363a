// What a seed makes of a range.

#ifndef STARLING_TESTS_SIM_DRAW_H_
#define STARLING_TESTS_SIM_DRAW_H_

#include <cstdint>

#include "absl/time/time.h"
#include "peer/runtime/random.h"

namespace starling {

class Draw {
 public:
  explicit Draw(Random random) : random_(random) {}

  bool Chance(double p) { return random_.Bernoulli(p); }
  // From `low` to `high`, both included.
  int Whole(int low, int high) {
    return low + static_cast<int>(random_.UniformInt(static_cast<uint64_t>(high - low + 1)));
  }
  double Between(double low, double high) { return low + (high - low) * random_.Uniform(); }
  absl::Duration Millis(double low, double high) {
    return absl::Milliseconds(Between(low, high));
  }
  absl::Duration Seconds(double low, double high) { return absl::Seconds(Between(low, high)); }
  // Nothing with probability 1 - p.
  double Maybe(double p, double high) { return Chance(p) ? Between(0, high) : 0; }

 private:
  Random random_;
};

}  // namespace starling

#endif  // STARLING_TESTS_SIM_DRAW_H_
