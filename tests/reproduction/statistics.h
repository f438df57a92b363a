// Mean and spread of a few repetitions.

#ifndef STARLING_TESTS_REPRODUCTION_STATISTICS_H_
#define STARLING_TESTS_REPRODUCTION_STATISTICS_H_

#include <cmath>
#include <cstddef>
#include <vector>

namespace starling {

struct MeanAndDeviation {
  double mean = std::nan("");
  double deviation = 0;  // of a sample: n - 1; 0 for one value
  size_t count = 0;
};

// Over the values that are numbers.
inline MeanAndDeviation Summarize(const std::vector<double>& values) {
  MeanAndDeviation summary;
  double sum = 0;
  for (const double value : values) {
    if (std::isnan(value)) continue;
    sum += value;
    ++summary.count;
  }
  if (summary.count == 0) return summary;
  summary.mean = sum / static_cast<double>(summary.count);
  if (summary.count < 2) return summary;
  double squares = 0;
  for (const double value : values) {
    if (!std::isnan(value)) squares += (value - summary.mean) * (value - summary.mean);
  }
  summary.deviation = std::sqrt(squares / static_cast<double>(summary.count - 1));
  return summary;
}

}  // namespace starling

#endif  // STARLING_TESTS_REPRODUCTION_STATISTICS_H_
