// The local optimizers, one a file; the table in optimizer.cc is the only user.

#ifndef STARLING_MODEL_LOCAL_OPTIMIZERS_H_
#define STARLING_MODEL_LOCAL_OPTIMIZERS_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "model/layer_span.h"
#include "model/optimizer.h"
#include "proto/run.pb.h"

namespace starling {

// What an optimizer is made for.
struct OptimizerSetting {
  v1::OptimizerConfig config;     // complete
  size_t elements = 0;            // parameters
  std::vector<LayerSpan> layers;  // covering them all, at least one
};

// In the formulas g is the gradient at the parameters x, eta the learning rate, mu the momentum and
// wd the weight decay.

// g += wd x;  x -= eta g
std::unique_ptr<Optimizer> MakeSgdOptimizer(const OptimizerSetting& setting);

// g += wd x;  m = mu m + g;  x -= eta (g + mu m).  The learning rate is outside of the buffer m,
// which hence keeps its meaning when the rate changes.
std::unique_ptr<Optimizer> MakeNesterovOptimizer(const OptimizerSetting& setting);

// Prepare: v = mu v;  x += v.   Step: g += wd x;  v = (eta / eta_before) v - eta g;  x -= eta g.
// Nesterov's method again, as Sutskever writes it and EAMSGD needs it: between two steps x is the
// point reached, not the one ahead. The points where gradients are computed are nesterov's, also
// when the rate changes (v = -eta m). A rate of 0 brings the velocity to rest.
std::unique_ptr<Optimizer> MakeNesterovVelocityOptimizer(const OptimizerSetting& setting);

// m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
// x -= eta wd x;  x -= eta m' / (sqrt(v') + epsilon)
// with m' = m / (1 - beta1^t) and v' = v / (1 - beta2^t) in step t, counted from 1.
std::unique_ptr<Optimizer> MakeAdamWOptimizer(const OptimizerSetting& setting);

// AdaHessian (Yao et al., 2021): AdamW with the curvature D in place of the gradient in v,
//
// m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) D^2;
// x -= eta (m' / (sqrt(v')^hessian_power + epsilon) + wd x)
//
// where D = |H z|, the mean of it over each spatial kernel of a convolution.
std::unique_ptr<Optimizer> MakeAdaHessianOptimizer(const OptimizerSetting& setting);

// LARS (You et al., 2017). For each layer
//
// g = r (g + wd x);  m = mu m + g;  x -= eta m    with r = trust |x| / (|g| + wd |x|)
//
// so that the first step of a layer is eta * trust times its weights' norm. Biases and norms'
// scales (layers without `weights`), whose norm says nothing about how far they should move, have
// r = 1; so has a layer that is all 0 or whose denominator is 0.
std::unique_ptr<Optimizer> MakeLarsOptimizer(const OptimizerSetting& setting);

}  // namespace starling

#endif  // STARLING_MODEL_LOCAL_OPTIMIZERS_H_
