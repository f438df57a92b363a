#include "peer/membership/suspicion.h"

#include <algorithm>
#include <cmath>

namespace starling {

Suspicion::Suspicion(const MembershipOptions& options, size_t members, absl::Time now)
    : began_(now),
      min_(options.SuspicionMin(members)),
      max_(options.SuspicionMax(members)),
      confirmations_(options.Confirmations(members)) {}

bool Suspicion::Accuse(PeerId accuser) {
  if (accusers_.size() > static_cast<size_t>(confirmations_)) return false;
  return accusers_.insert(accuser).second;
}

absl::Time Suspicion::deadline() const {
  if (confirmations_ == 0) return began_ + min_;
  const double confirmed = accusers_.empty() ? 0 : static_cast<double>(accusers_.size() - 1);
  const double share = std::log(confirmed + 1) / std::log(confirmations_ + 1.0);
  return began_ + std::max(min_, max_ - (max_ - min_) * share);
}

}  // namespace starling
