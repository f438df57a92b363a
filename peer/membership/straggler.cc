#include "peer/membership/straggler.h"

#include <algorithm>
#include <cmath>

namespace starling {
namespace {

// Of news from a peer that steps a hundred times a second: it is gossip that spreads it.
constexpr double kLeastSpread = 0.1;

}  // namespace

void Straggler::OnStep(absl::Time now, uint64_t step) {
  pace_.OnStep(now, step);
  if (step == step_) return;
  const bool progress = step > step_ && last_ != absl::InfinitePast();
  step_ = step;
  if (progress) {
    const double interval = absl::ToDoubleSeconds(now - last_);
    const double share = std::max(kNewest, 1.0 / (intervals_ + 1));
    const double difference = interval - mean_;
    mean_ += share * difference;
    variance_ = (1 - share) * (variance_ + share * difference * difference);
    ++intervals_;
  }
  last_ = now;
}

double Straggler::Score(absl::Time now) const {
  if (intervals_ < kEnough) return 0;
  const double spread = std::max({std::sqrt(variance_), mean_ / 4, kLeastSpread});
  const double deviation = (absl::ToDoubleSeconds(now - last_) - mean_) / spread;
  const double tail = 0.5 * std::erfc(deviation / std::sqrt(2.0));
  return tail > 0 ? std::clamp(-std::log10(tail), 0.0, kHighest) : kHighest;
}

}  // namespace starling
