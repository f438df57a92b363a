#include "model/evaluate.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "peer/runtime/check.h"

namespace starling {

absl::StatusOr<Evaluation> EvaluateOn(Model& model, const Dataset& data, size_t batch_size) {
  STARLING_CHECK(batch_size > 0);
  Evaluation total;
  Batch batch;
  std::vector<uint32_t> indices;
  for (size_t begin = 0; begin < data.size(); begin += batch_size) {
    indices.resize(std::min(batch_size, data.size() - begin));
    std::iota(indices.begin(), indices.end(), static_cast<uint32_t>(begin));
    data.Gather(indices, &batch);
    absl::StatusOr<Evaluation> part = model.Evaluate(batch);
    if (!part.ok()) return part.status();
    const double examples = static_cast<double>(part->examples);
    total.loss += part->loss * examples;
    total.accuracy += part->accuracy * examples;
    total.examples += part->examples;
  }
  if (total.examples > 0) {
    total.loss /= static_cast<double>(total.examples);
    total.accuracy /= static_cast<double>(total.examples);
  }
  return total;
}

}  // namespace starling
