// One step of SGD with momentum in buffer form: m = mu m + g; x -= rate m.

#ifndef STARLING_TESTS_CONFORMANCE_LOCAL_STEP_H_
#define STARLING_TESTS_CONFORMANCE_LOCAL_STEP_H_

#include <vector>

#include "tests/conformance/problems.h"

namespace starling {

struct LocalOptimizer {
  double rate = 0.1;
  double momentum = 0;
};

inline void LocalStep(const LocalOptimizer& local, const std::vector<double>& gradient, Values& x,
                      Values& momentum) {
  for (size_t i = 0; i < x.size(); ++i) {
    momentum[i] = static_cast<float>(local.momentum * momentum[i] + gradient[i]);
    x[i] = static_cast<float>(x[i] - local.rate * momentum[i]);
  }
}

}  // namespace starling

#endif  // STARLING_TESTS_CONFORMANCE_LOCAL_STEP_H_
