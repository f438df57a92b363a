#include "model/local_optimizers.h"
#include "peer/runtime/check.h"
#include "peer/runtime/isa.h"

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
    const float step = static_cast<float>(rate());
    RunKernel([&] {
      float* const __restrict x = parameters.data();
      const float* const __restrict g = gradients.data();
      const float rate = step;
      const float decay = decay_;
      const size_t elements = elements_;
      for (size_t i = 0; i < elements; ++i) x[i] -= rate * (g[i] + decay * x[i]);
    });
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
