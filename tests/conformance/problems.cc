#include "tests/conformance/problems.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "peer/runtime/check.h"
#include "peer/runtime/random.h"

namespace starling {

Quadratics::Quadratics(size_t workers, size_t dimension, double spread, uint64_t seed)
    : dimension_(dimension), a_(workers), b_(workers) {
  Random random(seed);
  for (size_t worker = 0; worker < workers; ++worker) {
    std::vector<double> root(dimension * dimension);
    for (double& value : root) value = random.Normal();
    a_[worker].resize(dimension * dimension);
    for (size_t i = 0; i < dimension; ++i) {
      for (size_t j = 0; j < dimension; ++j) {
        double sum = i == j ? 0.5 : 0;
        for (size_t k = 0; k < dimension; ++k) {
          sum += root[i * dimension + k] * root[j * dimension + k] / (2.0 * dimension);
        }
        a_[worker][i * dimension + j] = sum;
      }
      b_[worker].push_back(spread * random.Normal());
    }
  }
}

std::vector<double> Quadratics::GradientOf(size_t worker, const std::vector<double>& x) const {
  std::vector<double> gradient(dimension_);
  for (size_t i = 0; i < dimension_; ++i) {
    for (size_t j = 0; j < dimension_; ++j) {
      gradient[i] += a_[worker][i * dimension_ + j] * (x[j] - b_[worker][j]);
    }
  }
  return gradient;
}

std::vector<Gradient> Quadratics::gradients() const {
  std::vector<Gradient> gradients;
  for (size_t worker = 0; worker < a_.size(); ++worker) {
    gradients.push_back([*this, worker](const Values& x) {
      return GradientOf(worker, std::vector<double>(x.begin(), x.end()));
    });
  }
  return gradients;
}

std::vector<double> Quadratics::optimum() const {
  std::vector<double> x(dimension_);
  for (int step = 0; step < 3000; ++step) {
    std::vector<double> sum(dimension_);
    for (size_t worker = 0; worker < a_.size(); ++worker) {
      const std::vector<double> gradient = GradientOf(worker, x);
      for (size_t i = 0; i < dimension_; ++i) sum[i] += gradient[i];
    }
    for (size_t i = 0; i < dimension_; ++i) x[i] -= 0.3 * sum[i] / a_.size();
  }
  return x;
}

double Quadratics::Bias(const std::vector<Values>& workers) const {
  const std::vector<double> best = optimum();
  double sum = 0;
  for (const Values& x : workers) {
    for (size_t i = 0; i < dimension_; ++i) sum += (x[i] - best[i]) * (x[i] - best[i]);
  }
  return sum / workers.size();
}

std::vector<Gradient> ConstantGradients(size_t workers, double gradient) {
  return std::vector<Gradient>(
      workers, [gradient](const Values& x) { return std::vector<double>(x.size(), gradient); });
}

std::vector<Values> ScatteredStart(size_t workers, size_t dimension, uint64_t seed) {
  Random random(seed);
  std::vector<Values> start(workers);
  for (Values& x : start) {
    for (size_t i = 0; i < dimension; ++i) x.push_back(static_cast<float>(random.Normal()));
  }
  return start;
}

std::vector<Values> CommonStart(size_t workers, size_t dimension, uint64_t seed) {
  return std::vector<Values>(workers, ScatteredStart(1, dimension, seed)[0]);
}

std::vector<double> Mean(const std::vector<Values>& workers) {
  std::vector<double> mean(workers[0].size());
  for (const Values& x : workers) {
    for (size_t i = 0; i < x.size(); ++i) mean[i] += x[i] / static_cast<double>(workers.size());
  }
  return mean;
}

double Spread(const std::vector<Values>& workers) {
  const std::vector<double> mean = Mean(workers);
  double sum = 0;
  for (const Values& x : workers) {
    for (size_t i = 0; i < x.size(); ++i) sum += (x[i] - mean[i]) * (x[i] - mean[i]);
  }
  return sum / workers.size();
}

double Difference(const std::vector<Values>& a, const std::vector<Values>& b) {
  STARLING_CHECK(a.size() == b.size());
  double largest = 0;
  for (size_t worker = 0; worker < a.size(); ++worker) {
    STARLING_CHECK(a[worker].size() == b[worker].size());
    for (size_t i = 0; i < a[worker].size(); ++i) {
      const double difference = std::abs(static_cast<double>(a[worker][i]) - b[worker][i]);
      if (std::isnan(difference)) return std::numeric_limits<double>::infinity();
      largest = std::max(largest, difference);
    }
  }
  return largest;
}

}  // namespace starling
