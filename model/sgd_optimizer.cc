#include "model/local_optimizers.h"
#include "peer/runtime/check.h"

namespace starling {
namespace {

class SgdOptimizer final : public Optimizer {
 public:
  explicit SgdOptimizer(const OptimizerSetting& setting)
      : Optimizer(setting.config.learning_rate()),
        elements_(setting.elements),
        decay_(static_cast<float>(setting.config.weight_decay())) {}

  std::string name() const override { return "sgd"; }

  void Step(absl::Span<float> parameters, absl::Span<const float> gradients) override {
    STARLING_CHECK(parameters.size() == elements_ && gradients.size() == elements_);
    const float rate = static_cast<float>(this->rate());
    float* __restrict x = parameters.data();
    const float* __restrict g = gradients.data();
    for (size_t i = 0; i < elements_; ++i) x[i] -= rate * (g[i] + decay_ * x[i]);
  }

 private:
  const size_t elements_;
  const float decay_;
};

}  // namespace

std::unique_ptr<Optimizer> MakeSgdOptimizer(const OptimizerSetting& setting) {
  return std::make_unique<SgdOptimizer>(setting);
}

}  // namespace starling
