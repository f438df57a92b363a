// Local optimizers over the flat parameter vector: what one worker does with its own gradient.
//
// Free of any framework, so that the same code trains a LibTorch network and a simulated quadratic.
// An optimizer never sees what gossip adds to the parameters: mixing terms do not enter momentum.

#ifndef STARLING_MODEL_OPTIMIZER_H_
#define STARLING_MODEL_OPTIMIZER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "proto/run.pb.h"

namespace starling {

// Thread-compatible; owned by the TrainingActor.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  virtual std::string name() const = 0;
  // parameters -= step(gradients). Both have the length given to MakeOptimizer.
  virtual void Step(absl::Span<float> parameters, absl::Span<const float> gradients) = 0;

  // Multiplies the configured learning rate from the next step on. Momentum keeps what it holds.
  void set_rate_scale(double scale) { rate_scale_ = scale; }

 protected:
  double rate_scale() const { return rate_scale_; }

 private:
  double rate_scale_ = 1;
};

// The factor of the learning rate at `step` (counted from 0) of `total_steps`: 1, and over the last
// `decay_share` of the run a straight line down towards 0. Always 1 if either is 0.
double RateScaleAt(uint64_t step, uint64_t total_steps, double decay_share);

// A copy of `config` with every option that was left out, that is 0, set to the default of its
// optimizer (sgd: learning_rate 0.1; nesterov: learning_rate 0.01, momentum 0.9; adamw:
// learning_rate 0.001, beta1 0.9, beta2 0.999, epsilon 1e-8; weight_decay 0 for all). The
// configuration cannot tell 0 from unset: a momentum of 0 is had by choosing sgd. Completing twice
// changes nothing.
// INVALID_ARGUMENT: unknown name, a value out of its range, or an option that this optimizer does
// not have; names the field and the remedy.
absl::StatusOr<v1::OptimizerConfig> CompleteOptimizerConfig(v1::OptimizerConfig config);

// For vectors of `elements` parameters; completes the configuration first. Same codes.
absl::StatusOr<std::unique_ptr<Optimizer>> MakeOptimizer(const v1::OptimizerConfig& config,
                                                         size_t elements);

}  // namespace starling

#endif  // STARLING_MODEL_OPTIMIZER_H_
