#include <vector>

#include "model/local_optimizers.h"
#include "peer/runtime/check.h"

namespace starling {
namespace {

class NesterovVelocityOptimizer final : public Optimizer {
 public:
  explicit NesterovVelocityOptimizer(const OptimizerSetting& setting)
      : Optimizer(setting.config.learning_rate()),
        momentum_(static_cast<float>(setting.config.momentum())),
        decay_(static_cast<float>(setting.config.weight_decay())),
        velocity_(setting.elements) {}

  std::string name() const override { return "nesterov_velocity"; }
  absl::Span<float> momentum() override { return absl::MakeSpan(velocity_); }

  // At the scale of the last step: nesterov's buffer has moved the parameters this far by then.
  void Prepare(absl::Span<float> parameters) override {
    const size_t elements = velocity_.size();
    STARLING_CHECK(parameters.size() == elements);
    float* __restrict x = parameters.data();
    float* __restrict v = velocity_.data();
    for (size_t i = 0; i < elements; ++i) {
      v[i] *= momentum_;
      x[i] += v[i];
    }
  }

  void Step(absl::Span<float> parameters, absl::Span<const float> gradients) override {
    const size_t elements = velocity_.size();
    STARLING_CHECK(parameters.size() == elements && gradients.size() == elements);
    const float rate = static_cast<float>(this->rate());
    const float rescale =
        velocity_rate_ > 0 ? static_cast<float>(this->rate() / velocity_rate_) : 1.0f;
    velocity_rate_ = this->rate();
    float* __restrict x = parameters.data();
    const float* __restrict gradient = gradients.data();
    float* __restrict v = velocity_.data();
    for (size_t i = 0; i < elements; ++i) {
      const float step = rate * (gradient[i] + decay_ * x[i]);
      x[i] -= step;
      v[i] = rescale * v[i] - step;
    }
  }

 private:
  const float momentum_;
  const float decay_;
  std::vector<float> velocity_;
  double velocity_rate_ = 0;  // the rate inside velocity_; 0 as long as it is at rest
};

}  // namespace

std::unique_ptr<Optimizer> MakeNesterovVelocityOptimizer(const OptimizerSetting& setting) {
  return std::make_unique<NesterovVelocityOptimizer>(setting);
}

}  // namespace starling
