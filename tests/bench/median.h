// The figure of a case that was measured several times.

#ifndef STARLING_TESTS_BENCH_MEDIAN_H_
#define STARLING_TESTS_BENCH_MEDIAN_H_

#include <algorithm>
#include <cstddef>
#include <vector>

namespace starling {

// Of an even number the mean of the two in the middle; 0 of none.
inline double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace starling

#endif  // STARLING_TESTS_BENCH_MEDIAN_H_
