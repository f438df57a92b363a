#include <cmath>
#include <vector>

#include "model/local_optimizers.h"
#include "peer/runtime/check.h"

namespace starling {
namespace {

// Several sums side by side, which the compiler may put into one register, in an order that is the
// same on every machine.
double Norm(const float* values, size_t length) {
  constexpr size_t kLanes = 16;
  double sums[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= length; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const double value = values[i + lane];
      sums[lane] += value * value;
    }
  }
  double sum = 0;
  for (; i < length; ++i) sum += static_cast<double>(values[i]) * values[i];
  for (double lane : sums) sum += lane;
  return std::sqrt(sum);
}

class LarsOptimizer final : public Optimizer {
 public:
  explicit LarsOptimizer(const OptimizerSetting& setting)
      : Optimizer(setting.config.learning_rate()),
        trust_(setting.config.trust()),
        momentum_(static_cast<float>(setting.config.momentum())),
        decay_(static_cast<float>(setting.config.weight_decay())),
        layers_(setting.layers),
        buffer_(setting.elements) {}

  std::string name() const override { return "lars"; }
  absl::Span<float> momentum() override { return absl::MakeSpan(buffer_); }

  void Step(absl::Span<float> parameters, absl::Span<const float> gradients) override {
    const size_t elements = buffer_.size();
    STARLING_CHECK(parameters.size() == elements && gradients.size() == elements);
    const float rate = static_cast<float>(this->rate());
    for (const LayerSpan& layer : layers_) {
      float* __restrict x = parameters.data() + layer.offset;
      const float* __restrict g = gradients.data() + layer.offset;
      float* __restrict m = buffer_.data() + layer.offset;
      const float ratio = layer.weights ? Ratio(x, g, layer.length) : 1.0f;
      for (size_t i = 0; i < layer.length; ++i) {
        m[i] = momentum_ * m[i] + ratio * (g[i] + decay_ * x[i]);
        x[i] -= rate * m[i];
      }
    }
  }

 private:
  float Ratio(const float* x, const float* g, size_t length) const {
    const double weights = Norm(x, length);
    const double step = Norm(g, length) + static_cast<double>(decay_) * weights;
    if (weights == 0 || step == 0) return 1;
    return static_cast<float>(trust_ * weights / step);
  }

  const double trust_;
  const float momentum_;
  const float decay_;
  const std::vector<LayerSpan> layers_;
  std::vector<float> buffer_;
};

}  // namespace

std::unique_ptr<Optimizer> MakeLarsOptimizer(const OptimizerSetting& setting) {
  return std::make_unique<LarsOptimizer>(setting);
}

}  // namespace starling
