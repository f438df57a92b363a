// What the workers of the conformance suite learn: gradients without noise, whose optimum is known.

#ifndef STARLING_TESTS_CONFORMANCE_PROBLEMS_H_
#define STARLING_TESTS_CONFORMANCE_PROBLEMS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace starling {

using Values = std::vector<float>;
// A worker's gradient at x. Null: a worker that has nothing to learn, like a centre.
using Gradient = std::function<std::vector<double>(const Values&)>;

// (x - b)' A (x - b) / 2 for each worker.
class Quadratics {
 public:
  // Positive definite A, eigenvalues about 0.5 to 3. `spread` of the workers' b: 0 is one problem
  // for all, up: more heterogeneous.
  Quadratics(size_t workers, size_t dimension, double spread, uint64_t seed);

  std::vector<Gradient> gradients() const;
  // Of the sum over all workers.
  std::vector<double> optimum() const;
  // Mean over the workers of |x - optimum|^2.
  double Bias(const std::vector<Values>& workers) const;

 private:
  std::vector<double> GradientOf(size_t worker, const std::vector<double>& x) const;

  size_t dimension_;
  std::vector<std::vector<double>> a_;  // of each worker, row by row
  std::vector<std::vector<double>> b_;
};

// The same constant gradient for all workers, wherever they are.
std::vector<Gradient> ConstantGradients(size_t workers, double gradient);

// Independent standard normal numbers for each worker, and the same for all.
std::vector<Values> ScatteredStart(size_t workers, size_t dimension, uint64_t seed);
std::vector<Values> CommonStart(size_t workers, size_t dimension, uint64_t seed);

std::vector<double> Mean(const std::vector<Values>& workers);
// Mean over the workers of |x - mean|^2: the consensus distance.
double Spread(const std::vector<Values>& workers);
// The largest difference between two numbers in the same place.
double Difference(const std::vector<Values>& a, const std::vector<Values>& b);

}  // namespace starling

#endif  // STARLING_TESTS_CONFORMANCE_PROBLEMS_H_
