// Convolutional networks. They normalise with GroupNorm: BatchNorm's running statistics are no
// parameters, and averaging peers would leave them behind.

#ifndef STARLING_MODEL_TORCH_CNN_H_
#define STARLING_MODEL_TORCH_CNN_H_

#include "model/torch_network.h"

namespace starling {

// "cnn", for 28 x 28 grey images: a 3 x 3 convolution of stride 2 to 8 channels, GroupNorm, ReLU; a
// 3 x 3 convolution to 16 channels, 2 x 2 maximum, GroupNorm, ReLU; one linear layer of the 16 x 7
// x 7 numbers that are left. Shrinking early keeps a step at a few milliseconds: on one core,
// pooling and normalising the full 28 x 28 would cost more than all convolutions together.
TorchNetwork CnnNetwork();

}  // namespace starling

#endif  // STARLING_MODEL_TORCH_CNN_H_
