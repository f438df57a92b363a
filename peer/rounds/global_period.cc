#include "peer/rounds/global_period.h"

#include <algorithm>
#include <cmath>

namespace starling {

GlobalPeriod::GlobalPeriod(uint64_t every, double exponent)
    : first_every_(every),
      exponent_(every > 0 ? exponent : 0),
      every_(every),
      next_(every > 0 ? every - 1 : 0) {}

bool GlobalPeriod::IsGlobal(uint64_t round) const {
  if (first_every_ == 0) return false;
  return adaptive() ? round == next_ : (round + 1) % every_ == 0;
}

void GlobalPeriod::OnGlobal(uint64_t round, double mean_loss) {
  if (!adaptive()) return;
  if (seen_ < kWarmUp || !(first_loss_ > 0)) {
    first_loss_ = seen_ == 0 ? mean_loss : (first_loss_ + mean_loss) / 2;
    ++seen_;
  } else if (mean_loss > 0 && std::isfinite(mean_loss)) {
    const double wanted =
        std::ceil(std::pow(first_loss_ / mean_loss, exponent_) * static_cast<double>(first_every_));
    every_ = static_cast<uint64_t>(
        std::clamp(wanted, 1.0, 64.0 * static_cast<double>(first_every_)));
  }
  next_ = round + every_;
}

void GlobalPeriod::OnHeard(uint64_t next, uint64_t own_round) {
  if (adaptive() && next_ < own_round && next > next_) next_ = next;
}

}  // namespace starling
