#include <algorithm>
#include <vector>

#include "peer/rounds/fragment_anchor.h"
#include "peer/rounds/outer_optimizer.h"
#include "peer/runtime/check.h"

namespace starling {
namespace {

class GaslocOuter : public OuterOptimizer {
 public:
  GaslocOuter(size_t elements, double rate, double alpha, double gamma)
      : rate_(static_cast<float>(rate)),
        alpha_(static_cast<float>(alpha)),
        gamma_(static_cast<float>(gamma)),
        anchor_(elements),
        previous_(elements),
        begun_(elements) {}

  void Begin(const State& state, absl::Span<float> contribution) override {
    const size_t length = state.parameters.size();
    STARLING_CHECK(contribution.size() == length);
    const float* const x = state.parameters.data();
    if (anchor_.Begin(state)) std::copy(x, x + length, FragmentOf(previous_, state).begin());
    std::copy(x, x + length, FragmentOf(begun_, state).begin());
    const float* const __restrict anchor = anchor_.Of(state).data();
    float* const __restrict y = contribution.data();
    for (size_t i = 0; i < length; ++i) y[i] = anchor[i] + rate_ * (x[i] - anchor[i]);
  }

  void Finish(const State& state, absl::Span<const float> own,
              absl::Span<const float> mixed) override {
    const size_t length = state.parameters.size();
    STARLING_CHECK(own.size() == length && mixed.size() == length);
    float* const __restrict x = state.parameters.data();
    float* const __restrict anchor = anchor_.Of(state).data();
    float* const __restrict previous = FragmentOf(previous_, state).data();
    const float* const __restrict begun = FragmentOf(begun_, state).data();
    for (size_t i = 0; i < length; ++i) {
      anchor[i] = own[i] + alpha_ * (mixed[i] - own[i]) + gamma_ * (own[i] - previous[i]);
      previous[i] = own[i];
      x[i] += anchor[i] - begun[i];
    }
  }

 private:
  const float rate_;
  const float alpha_;
  const float gamma_;
  FragmentAnchor anchor_;
  std::vector<float> previous_;  // y of the last round that ended
  std::vector<float> begun_;     // parameters at the last Begin
};

}  // namespace

std::unique_ptr<OuterOptimizer> MakeGaslocOuter(size_t elements, double rate, double alpha,
                                                double gamma) {
  return std::make_unique<GaslocOuter>(elements, rate, alpha, gamma);
}

}  // namespace starling
