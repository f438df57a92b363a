// Evaluates a model on a whole data set, batch by batch.

#ifndef STARLING_MODEL_EVALUATE_H_
#define STARLING_MODEL_EVALUATE_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "model/dataset.h"
#include "model/model.h"

namespace starling {

// Mean over all examples, in order. Memory: one batch. Takes as long as the model needs for it, so
// run it on a thread, and on a model, of its own. batch_size > 0. Codes: Model::Evaluate's.
absl::StatusOr<Evaluation> EvaluateOn(Model& model, const Dataset& data, size_t batch_size);

}  // namespace starling

#endif  // STARLING_MODEL_EVALUATE_H_
