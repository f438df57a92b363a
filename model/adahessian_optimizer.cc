#include <cmath>
#include <vector>

#include "model/local_optimizers.h"
#include "peer/runtime/check.h"

namespace starling {
namespace {

class AdaHessianOptimizer final : public Optimizer {
 public:
  explicit AdaHessianOptimizer(const OptimizerSetting& setting)
      : Optimizer(setting.config.learning_rate()),
        config_(setting.config),
        layers_(setting.layers),
        first_(setting.elements),
        second_(setting.elements) {}

  std::string name() const override { return "adahessian"; }
  absl::Span<float> momentum() override { return absl::MakeSpan(first_); }
  bool needs_curvature() const override { return true; }

  void SetCurvature(absl::Span<const float> hessian_probe) override {
    STARLING_CHECK(hessian_probe.size() == second_.size());
    hessian_probe_ = hessian_probe;
    has_curvature_ = true;
  }

  void Step(absl::Span<float> parameters, absl::Span<const float> gradients) override {
    const size_t elements = first_.size();
    STARLING_CHECK(parameters.size() == elements && gradients.size() == elements);
    STARLING_CHECK(has_curvature_);
    for (const LayerSpan& layer : layers_) {
      if (layer.kernel == 1) {
        AccumulateEach(layer);
      } else {
        AccumulateKernels(layer);
      }
    }
    has_curvature_ = false;
    beta1_power_ *= config_.beta1();
    beta2_power_ *= config_.beta2();
    if (config_.hessian_power() == 1) {
      Move(parameters, gradients, [](float root) { return root; });
    } else {
      const float power = static_cast<float>(config_.hessian_power());
      Move(parameters, gradients, [power](float root) { return std::pow(root, power); });
    }
  }

 private:
  void AccumulateEach(const LayerSpan& layer) {
    const float beta2 = static_cast<float>(config_.beta2());
    const float rest2 = static_cast<float>(1 - config_.beta2());
    const float* __restrict d = hessian_probe_.data() + layer.offset;
    float* __restrict v = second_.data() + layer.offset;
    for (size_t i = 0; i < layer.length; ++i) v[i] = beta2 * v[i] + rest2 * d[i] * d[i];
  }

  // One number for each kernel: the mean of |H z| over its elements.
  void AccumulateKernels(const LayerSpan& layer) {
    const float beta2 = static_cast<float>(config_.beta2());
    const float rest2 = static_cast<float>(1 - config_.beta2());
    const float* d = hessian_probe_.data() + layer.offset;
    float* v = second_.data() + layer.offset;
    const float* const end = d + layer.length;
    for (; d < end; d += layer.kernel, v += layer.kernel) {
      float mean = 0;
      for (size_t i = 0; i < layer.kernel; ++i) mean += std::abs(d[i]);
      mean /= static_cast<float>(layer.kernel);
      for (size_t i = 0; i < layer.kernel; ++i) v[i] = beta2 * v[i] + rest2 * mean * mean;
    }
  }

  template <typename Power>
  void Move(absl::Span<float> parameters, absl::Span<const float> gradients, Power power) {
    const float keep = static_cast<float>(1 - rate() * config_.weight_decay());
    const float beta1 = static_cast<float>(config_.beta1());
    const float rest1 = static_cast<float>(1 - config_.beta1());
    const float step = static_cast<float>(rate() / (1 - beta1_power_));
    const float scale = static_cast<float>(1 / std::sqrt(1 - beta2_power_));
    const float epsilon = static_cast<float>(config_.epsilon());
    float* __restrict x = parameters.data();
    const float* __restrict g = gradients.data();
    float* __restrict m = first_.data();
    const float* __restrict v = second_.data();
    for (size_t i = 0; i < first_.size(); ++i) {
      m[i] = beta1 * m[i] + rest1 * g[i];
      x[i] = keep * x[i] - step * m[i] / (power(std::sqrt(v[i]) * scale) + epsilon);
    }
  }

  const v1::OptimizerConfig config_;
  const std::vector<LayerSpan> layers_;
  std::vector<float> first_;   // running mean of the gradient
  std::vector<float> second_;  // running mean of the curvature's square
  absl::Span<const float> hessian_probe_;
  bool has_curvature_ = false;  // since the last step
  double beta1_power_ = 1;
  double beta2_power_ = 1;
};

}  // namespace

std::unique_ptr<Optimizer> MakeAdaHessianOptimizer(const OptimizerSetting& setting) {
  return std::make_unique<AdaHessianOptimizer>(setting);
}

}  // namespace starling
