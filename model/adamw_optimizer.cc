#include <cmath>
#include <vector>

#include "model/local_optimizers.h"
#include "peer/runtime/check.h"
#include "peer/runtime/isa.h"

namespace starling {
namespace {

class AdamWOptimizer final : public Optimizer {
 public:
  explicit AdamWOptimizer(const OptimizerSetting& setting)
      : Optimizer(setting.config.learning_rate()),
        config_(setting.config),
        first_(setting.elements),
        second_(setting.elements) {}

  std::string name() const override { return "adamw"; }
  absl::Span<float> momentum() override { return absl::MakeSpan(first_); }

  void Step(absl::Span<float> parameters, absl::Span<const float> gradients) override {
    const size_t elements = first_.size();
    STARLING_CHECK(parameters.size() == elements && gradients.size() == elements);
    beta1_power_ *= config_.beta1();
    beta2_power_ *= config_.beta2();

    RunKernel([&] {
      const float keep = static_cast<float>(1 - rate() * config_.weight_decay());
      const float beta1 = static_cast<float>(config_.beta1());
      const float beta2 = static_cast<float>(config_.beta2());
      const float rest1 = static_cast<float>(1 - config_.beta1());
      const float rest2 = static_cast<float>(1 - config_.beta2());
      const float step = static_cast<float>(rate() / (1 - beta1_power_));
      const float scale = static_cast<float>(1 / std::sqrt(1 - beta2_power_));
      const float epsilon = static_cast<float>(config_.epsilon());
      float* const __restrict x = parameters.data();
      const float* const __restrict g = gradients.data();
      float* const __restrict m = first_.data();
      float* const __restrict v = second_.data();
      const size_t count = elements;
      for (size_t i = 0; i < count; ++i) {
        m[i] = beta1 * m[i] + rest1 * g[i];
        v[i] = beta2 * v[i] + rest2 * g[i] * g[i];
        x[i] = keep * x[i] - step * m[i] / (std::sqrt(v[i]) * scale + epsilon);
      }
    });
  }

 private:
  const v1::OptimizerConfig config_;
  std::vector<float> first_;   // running mean of the gradient
  std::vector<float> second_;  // running mean of its square
  double beta1_power_ = 1;
  double beta2_power_ = 1;
};

}  // namespace

std::unique_ptr<Optimizer> MakeAdamWOptimizer(const OptimizerSetting& setting) {
  return std::make_unique<AdamWOptimizer>(setting);
}

}  // namespace starling
