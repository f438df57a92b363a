// Are these counts what one expects? For tests of what is drawn by lot.

#ifndef STARLING_TESTS_PEER_TOPOLOGY_CHI_SQUARE_H_
#define STARLING_TESTS_PEER_TOPOLOGY_CHI_SQUARE_H_

#include <cmath>
#include <cstddef>
#include <map>

namespace starling {

// The sum of (count - expected)^2 / expected over `cells` cells that expect equally much; cells
// that never occurred may be missing from `counts`.
template <typename Key>
double ChiSquareUniform(const std::map<Key, double>& counts, size_t cells) {
  double total = 0;
  for (const auto& [key, count] : counts) total += count;
  const double expected = total / static_cast<double>(cells);
  double sum = expected * static_cast<double>(cells - counts.size());
  for (const auto& [key, count] : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

// Exceeded by chance about once in 30,000 times (four standard deviations, Wilson and Hilferty).
inline double ChiSquareLimit(size_t cells) {
  const double freedom = static_cast<double>(cells - 1);
  const double spread = 2 / (9 * freedom);
  return freedom * std::pow(1 - spread + 4 * std::sqrt(spread), 3);
}

}  // namespace starling

#endif  // STARLING_TESTS_PEER_TOPOLOGY_CHI_SQUARE_H_
