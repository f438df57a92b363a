// A model without a framework, whose optimum is known: for simulations and tests of everything that
// is not the network itself.
//
//   f(x) = mean over the examples z of  1/2 * sum_i a_i (x_i - z_i)^2
//
// with curvatures a_i fixed, growing geometrically from 1/2 to 2. Whatever the curvatures, the
// optimum over any set of examples is their mean; a peer alone on its part drifts to the mean of
// that part, and only peers that talk find the mean of all.

#ifndef STARLING_MODEL_QUADRATIC_MODEL_H_
#define STARLING_MODEL_QUADRATIC_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "model/dataset.h"
#include "model/model.h"

namespace starling {

class QuadraticModel final : public Model {
 public:
  // Parameters compare with the first `dimension` features of each example; batches have `features`
  // >= dimension of them. dimension > 0. Initial parameters are drawn from N(0, 1) by the seed.
  QuadraticModel(size_t dimension, size_t features, uint64_t seed);

  // Mean of the first `dimension` features over the whole data set.
  static std::vector<double> Optimum(const Dataset& data, size_t dimension);

  std::string name() const override { return "quadratic"; }
  ModelFingerprint fingerprint() const override;
  absl::Span<float> parameters() override { return absl::MakeSpan(parameters_); }
  absl::Span<const float> gradients() const override { return gradients_; }
  absl::StatusOr<double> ComputeGradients(const Batch& batch) override;
  bool has_curvature() const override { return true; }
  absl::StatusOr<double> ComputeGradientsAndCurvature(const Batch& batch,
                                                      absl::Span<const float> probe,
                                                      absl::Span<float> hessian_probe) override;
  std::vector<LayerSpan> layers() const override {
    const size_t length = parameters_.size();
    return {{.length = length, .name = "x", .shape = {static_cast<int64_t>(length)}}};
  }
  absl::StatusOr<Evaluation> Evaluate(const Batch& batch) override;
  int threads() const override { return 1; }

 private:
  absl::Status Validate(const Batch& batch) const;

  const size_t features_;
  std::vector<float> curvatures_;
  std::vector<float> parameters_;
  std::vector<float> gradients_;
};

}  // namespace starling

#endif  // STARLING_MODEL_QUADRATIC_MODEL_H_
