#include <vector>

#include "model/local_optimizers.h"
#include "peer/runtime/check.h"

namespace starling {
namespace {

class NesterovOptimizer final : public Optimizer {
 public:
  NesterovOptimizer(const v1::OptimizerConfig& config, size_t elements)
      : rate_(static_cast<float>(config.learning_rate())),
        momentum_(static_cast<float>(config.momentum())),
        decay_(static_cast<float>(config.weight_decay())),
        buffer_(elements) {}

  std::string name() const override { return "nesterov"; }

  void Step(absl::Span<float> parameters, absl::Span<const float> gradients) override {
    const size_t elements = buffer_.size();
    STARLING_CHECK(parameters.size() == elements && gradients.size() == elements);
    const float rate = rate_ * static_cast<float>(rate_scale());
    float* __restrict x = parameters.data();
    const float* __restrict gradient = gradients.data();
    float* __restrict m = buffer_.data();
    for (size_t i = 0; i < elements; ++i) {
      const float g = gradient[i] + decay_ * x[i];
      m[i] = momentum_ * m[i] + g;
      x[i] -= rate * (g + momentum_ * m[i]);
    }
  }

 private:
  const float rate_;
  const float momentum_;
  const float decay_;
  std::vector<float> buffer_;
};

}  // namespace

std::unique_ptr<Optimizer> MakeNesterovOptimizer(const v1::OptimizerConfig& config,
                                                 size_t elements) {
  return std::make_unique<NesterovOptimizer>(config, elements);
}

}  // namespace starling
