// The seam to machine learning: a network seen as one flat vector of parameters, a function that
// fills the gradient for a batch, and a function that evaluates any vector of parameters.
//
// Nothing here knows a framework. Implementations: TorchModel (LibTorch), QuadraticModel
// (simulation).

#ifndef STARLING_MODEL_MODEL_H_
#define STARLING_MODEL_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "model/dataset.h"
#include "model/layer_span.h"
#include "peer/runtime/ids.h"

namespace starling {

struct Evaluation {
  double accuracy = 0;  // share of examples whose class was found; 0 for a model without classes
  double loss = 0;      // mean over the examples
  size_t examples = 0;
};

// Thread-compatible: one thread at a time. The TrainingActor owns one and lives on one thread;
// evaluation uses a model of its own.
class Model {
 public:
  virtual ~Model() = default;

  // The registry name, "mlp".
  virtual std::string name() const = 0;

  // Hash of the model's name and its parameters' names, shapes and order: two models with one
  // fingerprint can be averaged.
  virtual ModelFingerprint fingerprint() const = 0;

  // All trainable parameters, contiguous, in a fixed order; the network computes with this very
  // memory. The address and length never change. Initial values depend on the seed alone.
  virtual absl::Span<float> parameters() = 0;

  // The gradient that the last ComputeGradients left, same length and order as parameters().
  virtual absl::Span<const float> gradients() const = 0;

  // One forward and backward pass at the current parameters. Returns the mean loss of the batch,
  // which may be non-finite if training diverged.
  // INVALID_ARGUMENT: the batch does not fit the model. INTERNAL: the framework failed.
  virtual absl::StatusOr<double> ComputeGradients(const Batch& batch) = 0;

  // True if ComputeGradientsAndCurvature works, which adahessian needs.
  virtual bool has_curvature() const { return false; }

  // As ComputeGradients, and fills `hessian_probe` with H z: the Hessian of the batch's loss at the
  // current parameters times `probe`, usually +1 and -1 at random (CurvatureProbe). Both have the
  // length of parameters() and do not overlap; after an error the content of `hessian_probe` is
  // unspecified. Takes about as long as three ComputeGradients. Gradients and loss agree with
  // ComputeGradients up to rounding, dropout noise included.
  // Same codes, and UNIMPLEMENTED unless has_curvature().
  virtual absl::StatusOr<double> ComputeGradientsAndCurvature(const Batch& /*batch*/,
                                                              absl::Span<const float> /*probe*/,
                                                              absl::Span<float> /*hessian_probe*/) {
    return absl::UnimplementedError(absl::StrCat(
        "model ", name(), " cannot compute curvature; choose an optimizer other than adahessian"));
  }

  // Where its tensors lie in the parameters, in order, covering them all; empty if the whole vector
  // is to count as one layer of weights.
  virtual std::vector<LayerSpan> layers() const { return {}; }

  // Mean loss and accuracy of the current parameters on a batch, without dropout or gradients.
  // Same codes as ComputeGradients.
  virtual absl::StatusOr<Evaluation> Evaluate(const Batch& batch) = 0;

  // Threads that one operation may use; 1 unless told otherwise.
  virtual int threads() const = 0;
};

}  // namespace starling

#endif  // STARLING_MODEL_MODEL_H_
