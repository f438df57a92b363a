#include "model/synthetic_dataset.h"

#include <algorithm>

#include "peer/runtime/check.h"
#include "peer/runtime/random.h"

namespace starling {

SyntheticDataset::SyntheticDataset(const SyntheticOptions& options)
    : examples_(options.examples), shape_(options.shape) {
  STARLING_CHECK(examples_ > 0);
  for (int64_t size : shape_) {
    STARLING_CHECK(size > 0);
    features_ *= static_cast<size_t>(size);
  }

  Random random(options.seed);
  Random centre_random = random.Split("centres");
  std::vector<float> centres(kClasses * features_);
  for (float& value : centres) value = static_cast<float>(centre_random.Normal());

  Random point_random = random.Split("points").Split(options.stream);
  points_.resize(examples_ * features_);
  for (size_t i = 0; i < examples_; ++i) {
    const float* centre = centres.data() + static_cast<size_t>(label(i)) * features_;
    float* point = points_.data() + i * features_;
    for (size_t j = 0; j < features_; ++j) {
      point[j] = centre[j] + static_cast<float>(point_random.Normal());
    }
  }
}

void SyntheticDataset::Gather(absl::Span<const uint32_t> indices, Batch* batch) const {
  batch->examples = indices.size();
  batch->features.resize(indices.size() * features_);
  batch->labels.resize(indices.size());
  for (size_t i = 0; i < indices.size(); ++i) {
    batch->labels[i] = label(indices[i]);
    std::copy_n(points_.data() + indices[i] * features_, features_,
                batch->features.data() + i * features_);
  }
}

}  // namespace starling
