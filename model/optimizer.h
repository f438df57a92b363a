// Local optimizers over the flat parameter vector: what one worker does with its own gradient.
//
// Free of any framework, so that the same code trains a LibTorch network and a simulated quadratic.
// An optimizer never sees what gossip adds to the parameters: mixing terms do not enter momentum.
//
// One step is, in this order:
//
//   Prepare(parameters)        the optimizer may move the parameters to where it wants the gradient
//   gradient, and if needs_curvature() also H z, handed over by SetCurvature
//   set_rate_scale(scale)      if the rate changes
//   Step(parameters, gradients)
//
// Each Prepare is followed by one Step. Others read and mix the parameters (and momentum()) between
// a Step and the next Prepare only: in between, a look-ahead may be part of them.

#ifndef STARLING_MODEL_OPTIMIZER_H_
#define STARLING_MODEL_OPTIMIZER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "model/layer_span.h"
#include "proto/run.pb.h"

namespace starling {

// Thread-compatible; owned by the TrainingActor.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  virtual std::string name() const = 0;

  // Called before the gradient is computed; moves the parameters to the point where the optimizer
  // wants it. Only nesterov_velocity moves them; without its Prepare it is not Nesterov's method.
  virtual void Prepare(absl::Span<float> /*parameters*/) {}

  // True if each Step must be preceded by SetCurvature, hence needs a model with has_curvature().
  virtual bool needs_curvature() const { return false; }

  // H z at the point of the gradient, for a probe z of +1 and -1 (CurvatureProbe draws it, Model
  // computes H z). Same length as the parameters; read in the next Step and no later, so the memory
  // must live until then.
  virtual void SetCurvature(absl::Span<const float> /*hessian_probe*/) {}

  // parameters -= step(gradients). Both have the length given to MakeOptimizer.
  virtual void Step(absl::Span<float> parameters, absl::Span<const float> gradients) = 0;

  // Multiplies the configured learning rate from the next step on. Buffers with the learning rate
  // outside keep what they hold; the velocity of nesterov_velocity, which has it inside, is scaled
  // by new/old in the next Step, so that both behave alike.
  void set_rate_scale(double scale) { rate_scale_ = scale; }

  // The learning rate of the next step: the configured one times the scale.
  double rate() const { return learning_rate_ * rate_scale_; }

  // The momentum, same length and order as the parameters, for algorithms that average it along
  // with them: the buffer of nesterov and lars, the velocity of nesterov_velocity, the first moment
  // of adamw and adahessian; empty for sgd, which has none. The memory stays where it is for the
  // optimizer's life.
  virtual absl::Span<float> momentum() { return {}; }

 protected:
  explicit Optimizer(double learning_rate) : learning_rate_(learning_rate) {}

 private:
  const double learning_rate_;
  double rate_scale_ = 1;
};

// The factor of the learning rate at `step` (counted from 0) of `total_steps`: 1, and over the last
// `decay_share` of the run a straight line down towards 0. Always 1 if either is 0.
double RateScaleAt(uint64_t step, uint64_t total_steps, double decay_share);

// A copy of `config` with every option that was left out, that is 0, set to the default of its
// optimizer:
//
//   sgd                learning_rate 0.1
//   nesterov           learning_rate 0.01, momentum 0.9
//   nesterov_velocity  learning_rate 0.01, momentum 0.9
//   adamw              learning_rate 0.001, beta1 0.9, beta2 0.999, epsilon 1e-8
//   adahessian         learning_rate 0.15, beta1 0.9, beta2 0.999, epsilon 1e-4, hessian_power 1
//   lars               learning_rate 0.3, momentum 0.9, trust 0.001
//
// and weight_decay 0 for all. The rate of adahessian is the published one; with mlp on a quarter of
// Fashion-MNIST it ended at chance for one seed of three, where 0.02 and 0.05 trained all three.
// The configuration cannot tell 0 from unset: a momentum of 0 is had by choosing sgd. Completing
// twice changes nothing.
// INVALID_ARGUMENT: unknown name, a value out of its range, or an option that this optimizer does
// not have; names the field and the remedy.
absl::StatusOr<v1::OptimizerConfig> CompleteOptimizerConfig(v1::OptimizerConfig config);

// For vectors of `elements` parameters; completes the configuration first. `layers` are the model's
// (Model::layers); if there are none, the whole vector is one layer of weights. They must cover the
// vector as LayerSpan says. Same codes.
absl::StatusOr<std::unique_ptr<Optimizer>> MakeOptimizer(const v1::OptimizerConfig& config,
                                                         size_t elements,
                                                         std::vector<LayerSpan> layers = {});

}  // namespace starling

#endif  // STARLING_MODEL_OPTIMIZER_H_
