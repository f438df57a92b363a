// The local optimizers, one a file; the table in optimizer.cc is the only user.

#ifndef STARLING_MODEL_LOCAL_OPTIMIZERS_H_
#define STARLING_MODEL_LOCAL_OPTIMIZERS_H_

#include <cstddef>
#include <memory>

#include "model/optimizer.h"
#include "proto/run.pb.h"

namespace starling {

// Each takes a complete configuration. In the formulas g is the gradient, eta the learning rate and
// wd the weight decay.

// g += wd x;  x -= eta g
std::unique_ptr<Optimizer> MakeSgdOptimizer(const v1::OptimizerConfig& config, size_t elements);

// g += wd x;  m = mu m + g;  x -= eta (g + mu m).  The learning rate is outside of the buffer m,
// which hence keeps its meaning when the rate changes.
std::unique_ptr<Optimizer> MakeNesterovOptimizer(const v1::OptimizerConfig& config,
                                                 size_t elements);

// m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
// x -= eta wd x;  x -= eta m' / (sqrt(v') + epsilon)
// with m' = m / (1 - beta1^t) and v' = v / (1 - beta2^t) in step t, counted from 1.
std::unique_ptr<Optimizer> MakeAdamWOptimizer(const v1::OptimizerConfig& config, size_t elements);

}  // namespace starling

#endif  // STARLING_MODEL_LOCAL_OPTIMIZERS_H_
