// The seam to data: an indexed set of labelled examples, held in memory, that can gather any
// selection of them into a batch.

#ifndef STARLING_MODEL_DATASET_H_
#define STARLING_MODEL_DATASET_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"

namespace starling {

// A selection of examples, ready to compute with. Owns its memory and is meant to be reused.
struct Batch {
  // Row-major [examples, features], normalised.
  std::vector<float> features;
  // One class per example; empty for data without classes.
  std::vector<int64_t> labels;
  size_t examples = 0;
};

// Immutable after construction, hence thread-safe.
class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual std::string name() const = 0;
  // Number of examples.
  virtual size_t size() const = 0;
  // Numbers in one example, and its shape, for example {1, 28, 28}.
  virtual size_t features() const = 0;
  virtual std::vector<int64_t> shape() const = 0;
  // 0 for data without classes.
  virtual int classes() const = 0;
  // Class of one example. index < size().
  virtual int64_t label(size_t index) const = 0;

  // Fills `batch` with the examples of those indices, in that order. Every index < size().
  virtual void Gather(absl::Span<const uint32_t> indices, Batch* batch) const = 0;
};

}  // namespace starling

#endif  // STARLING_MODEL_DATASET_H_
