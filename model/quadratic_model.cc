#include "model/quadratic_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "model/fingerprint.h"
#include "peer/runtime/check.h"
#include "peer/runtime/random.h"

namespace starling {

QuadraticModel::QuadraticModel(size_t dimension, size_t features, uint64_t seed)
    : features_(features), curvatures_(dimension), parameters_(dimension), gradients_(dimension) {
  STARLING_CHECK(dimension > 0 && dimension <= features);
  Random random = Random(seed).Split("parameters").Split("quadratic");
  for (size_t i = 0; i < dimension; ++i) {
    const double position =
        dimension > 1 ? static_cast<double>(i) / static_cast<double>(dimension - 1) : 0;
    curvatures_[i] = static_cast<float>(0.5 * std::pow(4.0, position));
    parameters_[i] = static_cast<float>(random.Normal());
  }
}

std::vector<double> QuadraticModel::Optimum(const Dataset& data, size_t dimension) {
  STARLING_CHECK(dimension <= data.features());
  std::vector<double> mean(dimension);
  Batch batch;
  for (uint32_t index = 0; index < data.size(); ++index) {
    data.Gather({&index, 1}, &batch);
    for (size_t i = 0; i < dimension; ++i) mean[i] += batch.features[i];
  }
  for (double& value : mean) value /= static_cast<double>(data.size());
  return mean;
}

ModelFingerprint QuadraticModel::fingerprint() const {
  return FingerprintOf(name(), {{"x", {static_cast<int64_t>(parameters_.size())}}});
}

absl::Status QuadraticModel::Validate(const Batch& batch) const {
  if (batch.examples == 0 || batch.features.size() != batch.examples * features_) {
    return absl::InvalidArgumentError(
        absl::StrCat("batch of ", batch.examples, " examples has ", batch.features.size(),
                     " features; the model quadratic needs ", features_, " for each"));
  }
  return absl::OkStatus();
}

absl::StatusOr<double> QuadraticModel::ComputeGradients(const Batch& batch) {
  if (absl::Status status = Validate(batch); !status.ok()) return status;
  std::fill(gradients_.begin(), gradients_.end(), 0.0f);
  double loss = 0;
  const float share = 1 / static_cast<float>(batch.examples);
  for (size_t n = 0; n < batch.examples; ++n) {
    const float* point = batch.features.data() + n * features_;
    for (size_t i = 0; i < parameters_.size(); ++i) {
      const float distance = parameters_[i] - point[i];
      gradients_[i] += share * curvatures_[i] * distance;
      loss += 0.5 * static_cast<double>(curvatures_[i]) * distance * distance;
    }
  }
  return loss / static_cast<double>(batch.examples);
}

absl::StatusOr<double> QuadraticModel::ComputeGradientsAndCurvature(
    const Batch& batch, absl::Span<const float> probe, absl::Span<float> hessian_probe) {
  STARLING_CHECK(probe.size() == parameters_.size() && hessian_probe.size() == parameters_.size());
  const absl::StatusOr<double> loss = ComputeGradients(batch);
  if (!loss.ok()) return loss;
  for (size_t i = 0; i < parameters_.size(); ++i) hessian_probe[i] = curvatures_[i] * probe[i];
  return loss;
}

absl::StatusOr<Evaluation> QuadraticModel::Evaluate(const Batch& batch) {
  if (absl::Status status = Validate(batch); !status.ok()) return status;
  Evaluation evaluation;
  evaluation.examples = batch.examples;
  for (size_t n = 0; n < batch.examples; ++n) {
    const float* point = batch.features.data() + n * features_;
    for (size_t i = 0; i < parameters_.size(); ++i) {
      const double distance = static_cast<double>(parameters_[i]) - point[i];
      evaluation.loss += 0.5 * curvatures_[i] * distance * distance;
    }
  }
  evaluation.loss /= static_cast<double>(batch.examples);
  return evaluation;
}

}  // namespace starling
