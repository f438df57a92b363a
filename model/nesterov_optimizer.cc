#include <vector>

#include "model/local_optimizers.h"
#include "peer/runtime/check.h"
#include "peer/runtime/isa.h"

namespace starling {
namespace {

class NesterovOptimizer final : public Optimizer {
 public:
  explicit NesterovOptimizer(const OptimizerSetting& setting)
      : Optimizer(setting.config.learning_rate()),
        momentum_(static_cast<float>(setting.config.momentum())),
        decay_(static_cast<float>(setting.config.weight_decay())),
        buffer_(setting.elements) {}

  std::string name() const override { return "nesterov"; }
  absl::Span<float> momentum() override { return absl::MakeSpan(buffer_); }

  void Step(absl::Span<float> parameters, absl::Span<const float> gradients) override {
    const size_t elements = buffer_.size();
    STARLING_CHECK(parameters.size() == elements && gradients.size() == elements);
    const float step = static_cast<float>(rate());
    RunKernel([&] {
      float* const __restrict x = parameters.data();
      const float* const __restrict gradient = gradients.data();
      float* const __restrict m = buffer_.data();
      const float rate = step;
      const float decay = decay_;
      const float momentum = momentum_;
      const size_t count = elements;
      for (size_t i = 0; i < count; ++i) {
        const float g = gradient[i] + decay * x[i];
        const float moved = momentum * m[i] + g;
        m[i] = moved;
        x[i] -= rate * (g + momentum * moved);
      }
    });
  }

 private:
  const float momentum_;
  const float decay_;
  std::vector<float> buffer_;
};

}  // namespace

std::unique_ptr<Optimizer> MakeNesterovOptimizer(const OptimizerSetting& setting) {
  return std::make_unique<NesterovOptimizer>(setting);
}

}  // namespace starling
