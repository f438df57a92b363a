#include "peer/rounds/global_period.h"

#include <algorithm>
#include <cmath>

namespace starling {
namespace {

bool IsLoss(double value) { return std::isfinite(value) && value > 0; }

}  // namespace

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
  if (IsLoss(mean_loss)) {
    if (seen_ < kWarmUp) {
      first_loss_ = seen_ == 0 ? mean_loss : (first_loss_ + mean_loss) / 2;
      ++seen_;
    } else {
      const double wanted = std::ceil(std::pow(first_loss_ / mean_loss, exponent_) *
                                      static_cast<double>(first_every_));
      every_ = static_cast<uint64_t>(
          std::clamp(wanted, 1.0, static_cast<double>(kMostStretch * first_every_)));
    }
  }
  next_ = std::max(next_, round + every_);
}

void GlobalPeriod::OnHeard(uint64_t its_round, uint64_t next, double reference) {
  if (!adaptive()) return;
  if (seen_ < kWarmUp && IsLoss(reference)) {
    first_loss_ = reference;
    seen_ = kWarmUp;
  }
  if (next > next_ && next <= its_round + kMostStretch * first_every_) next_ = next;
}

}  // namespace starling
