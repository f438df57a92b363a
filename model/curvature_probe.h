// Random signs, by which the Hessian is probed: for z of independent +1 and -1 (Rademacher), z * Hz
// is in expectation the diagonal of H (Hutchinson's estimator), and exactly that if H is diagonal.

#ifndef STARLING_MODEL_CURVATURE_PROBE_H_
#define STARLING_MODEL_CURVATURE_PROBE_H_

#include <cstddef>
#include <vector>

#include "absl/types/span.h"
#include "peer/runtime/random.h"

namespace starling {

// Thread-compatible. The sequence of probes depends on `random` and `elements` alone; peers that
// are to probe independently split their generators.
class CurvatureProbe {
 public:
  CurvatureProbe(Random random, size_t elements) : random_(random), signs_(elements) {}

  // The next probe, valid until the next call.
  absl::Span<const float> Draw();

 private:
  Random random_;
  std::vector<float> signs_;
};

}  // namespace starling

#endif  // STARLING_MODEL_CURVATURE_PROBE_H_
