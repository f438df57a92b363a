// Made-up examples for simulations and tests: ten clusters of normally distributed points, whose
// number is the class, so that data can be split unevenly and even a network can learn them.

#ifndef STARLING_MODEL_SYNTHETIC_DATASET_H_
#define STARLING_MODEL_SYNTHETIC_DATASET_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "model/dataset.h"

namespace starling {

struct SyntheticOptions {
  size_t examples = 6000;                  // > 0
  std::vector<int64_t> shape = {1, 28, 28};  // of one example; every size > 0
  // Places the clusters, each centre drawn from N(0, 1). Two sets with one seed and shape have the
  // same centres.
  uint64_t seed = 1;
  // Draws the points around the centres, each from N(centre, 1). Training and test set differ in
  // it.
  uint64_t stream = 0;
};

class SyntheticDataset final : public Dataset {
 public:
  static constexpr int kClasses = 10;

  // Example i belongs to class i mod 10.
  explicit SyntheticDataset(const SyntheticOptions& options);

  std::string name() const override { return "synthetic"; }
  size_t size() const override { return examples_; }
  size_t features() const override { return features_; }
  std::vector<int64_t> shape() const override { return shape_; }
  int classes() const override { return kClasses; }
  int64_t label(size_t index) const override { return static_cast<int64_t>(index % kClasses); }
  void Gather(absl::Span<const uint32_t> indices, Batch* batch) const override;

 private:
  const size_t examples_;
  const std::vector<int64_t> shape_;
  size_t features_ = 1;
  std::vector<float> points_;  // [examples, features]
};

}  // namespace starling

#endif  // STARLING_MODEL_SYNTHETIC_DATASET_H_
