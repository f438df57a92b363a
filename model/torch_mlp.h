// Multilayer perceptrons.

#ifndef STARLING_MODEL_TORCH_MLP_H_
#define STARLING_MODEL_TORCH_MLP_H_

#include "model/torch_network.h"

namespace starling {

// "mlp": 784-256-128-10, ReLU. Small enough to train in seconds on one core.
TorchNetwork MlpNetwork();

// "mlp_small": 784-64-10, ReLU. For experiments that train hundreds of swarms.
TorchNetwork MlpSmallNetwork();

// "mlp_large": 784-1024-1024-1024-10, ReLU, dropout 0.2 on the input and 0.5 before each later
// layer: the network of the Elastic Gossip thesis (Pramod, 2018).
TorchNetwork MlpLargeNetwork();

}  // namespace starling

#endif  // STARLING_MODEL_TORCH_MLP_H_
