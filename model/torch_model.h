// Any TorchNetwork behind the Model seam.
//
// All parameters live in one flat vector, all gradients in another; LibTorch gets tensors that are
// views of them. Autograd adds each gradient to the tensor that is already there, so it lands in
// the flat vector by itself; nothing is packed or copied between a step and an exchange.
//
// Free of LibTorch's headers, for the sake of those who include this.

#ifndef STARLING_MODEL_TORCH_MODEL_H_
#define STARLING_MODEL_TORCH_MODEL_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "model/model.h"

namespace starling {

struct TorchNetwork;

struct TorchModelOptions {
  // First parameters: a function of (network's name, seed), whatever the process, threads or
  // stream.
  uint64_t seed = 1;
  // Dropout noise: a function of (seed, stream) and of how many gradients were computed before.
  uint64_t stream = 0;
  // Intra-op threads, >= 1. Up: faster steps for networks of mlp_large's size if cores are idle;
  // slower ones for small networks, or if peers share the cores.
  int threads = 1;
};

// The randomness is the model's own: LibTorch's global generators are neither read nor changed.
// INVALID_ARGUMENT: threads < 1. INTERNAL: LibTorch failed; no exception of it gets out, here or
// later.
absl::StatusOr<std::unique_ptr<Model>> MakeTorchModel(TorchNetwork network,
                                                      const TorchModelOptions& options);

}  // namespace starling

#endif  // STARLING_MODEL_TORCH_MODEL_H_
