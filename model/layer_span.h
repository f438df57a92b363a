// Where the tensors of a network lie in its flat vector of parameters: for optimizers that treat one
// layer differently from another, and for checkpoints.

#ifndef STARLING_MODEL_LAYER_SPAN_H_
#define STARLING_MODEL_LAYER_SPAN_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace starling {

// One parameter tensor. The spans of a model are in the order of its parameters, without gaps or
// overlaps, and cover them all.
struct LayerSpan {
  size_t offset = 0;  // of the first element, in the flat vector
  size_t length = 0;  // elements; may be 0
  // Two dimensions or more: weights, as opposed to biases and the scales of norms.
  bool weights = true;
  // Consecutive elements that are one spatial kernel of a convolution; 1 elsewhere. Divides length.
  size_t kernel = 1;
  // "fc1.weight"; unique within the model.
  std::string name = {};
  std::vector<int64_t> shape = {};
};

}  // namespace starling

#endif  // STARLING_MODEL_LAYER_SPAN_H_
