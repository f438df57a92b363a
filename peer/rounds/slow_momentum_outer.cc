#include <vector>

#include "peer/rounds/fragment_anchor.h"
#include "peer/rounds/parameter_outer.h"

namespace starling {
namespace {

class SlowMomentumOuter : public ParameterOuter {
 public:
  SlowMomentumOuter(size_t elements, double beta, double step)
      : beta_(static_cast<float>(beta)), step_(step), anchor_(elements), momentum_(elements) {}

 private:
  void OnBegin(const State& state) override { anchor_.Begin(state); }

  void Apply(const State& state, absl::Span<const float> own,
             absl::Span<const float> mixed) override {
    const size_t length = state.parameters.size();
    float* const __restrict x = state.parameters.data();
    float* const __restrict anchor = anchor_.Of(state).data();
    float* const __restrict s = FragmentOf(momentum_, state).data();
    if (!(state.rate > 0)) {
      // Nothing can be told about the gradients behind a step of no length: only agree.
      for (size_t i = 0; i < length; ++i) {
        anchor[i] = mixed[i];
        x[i] += anchor[i] - own[i];
      }
      return;
    }
    const float per_rate = static_cast<float>(1 / state.rate);
    const float length_of_step = static_cast<float>(step_ * state.rate);
    for (size_t i = 0; i < length; ++i) {
      s[i] = beta_ * s[i] + (anchor[i] - mixed[i]) * per_rate;
      anchor[i] -= length_of_step * s[i];
      x[i] += anchor[i] - own[i];
    }
  }

  const float beta_;
  const double step_;
  FragmentAnchor anchor_;
  std::vector<float> momentum_;
};

}  // namespace

std::unique_ptr<OuterOptimizer> MakeSlowMomentumOuter(size_t elements, double beta, double step) {
  return std::make_unique<SlowMomentumOuter>(elements, beta, step);
}

}  // namespace starling
