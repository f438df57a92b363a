#include "peer/gossip/staleness.h"

#include <algorithm>
#include <cstddef>

#include "peer/runtime/check.h"

namespace starling {

double StalenessOf(uint64_t steps_since_last, uint64_t unit, double fresh, double stale) {
  STARLING_CHECK(fresh < stale);
  if (unit == 0) return 0;
  const double missed = static_cast<double>(steps_since_last) / static_cast<double>(unit) - 1;
  return std::clamp((missed - fresh) / (stale - fresh), 0.0, 1.0);
}

double DistanceScore(absl::Span<const double> log_distances) {
  const size_t count = log_distances.size();
  if (count < 2) return 0;
  const double middle = static_cast<double>(count - 1) / 2;
  double covariance = 0;
  double variance = 0;
  for (size_t i = 0; i < count; ++i) {
    const double time = static_cast<double>(i) - middle;
    covariance += time * log_distances[i];
    variance += time * time;
  }
  return covariance / variance;
}

double StalenessOfScore(double score, double threshold) {
  STARLING_CHECK(threshold < 0);
  return std::clamp(score / threshold, 0.0, 1.0);
}

}  // namespace starling
