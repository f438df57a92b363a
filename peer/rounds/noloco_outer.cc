#include <algorithm>
#include <vector>

#include "peer/rounds/fragment_anchor.h"
#include "peer/rounds/outer_optimizer.h"
#include "peer/runtime/check.h"

namespace starling {
namespace {

class NoLoCoOuter : public OuterOptimizer {
 public:
  NoLoCoOuter(size_t elements, double momentum, double rate, double pull)
      : factor_(static_cast<float>(momentum)),
        rate_(static_cast<float>(rate)),
        pull_(static_cast<float>(pull)),
        anchor_(elements),
        momentum_(elements) {}

  size_t slots() const override { return 2; }

  void Begin(const State& state, absl::Span<float> contribution) override {
    STARLING_CHECK(contribution.size() == 2 * state.parameters.size());
    anchor_.Begin(state);
    const absl::Span<const float> anchor = anchor_.Of(state);
    const auto second = std::copy(anchor.begin(), anchor.end(), contribution.begin());
    std::copy(state.parameters.begin(), state.parameters.end(), second);
  }

  void Finish(const State& state, absl::Span<const float> own,
              absl::Span<const float> mixed) override {
    const size_t length = state.parameters.size();
    STARLING_CHECK(own.size() == 2 * length && mixed.size() == 2 * length);
    float* const __restrict x = state.parameters.data();
    float* const __restrict anchor = anchor_.Of(state).data();
    float* const __restrict m = FragmentOf(momentum_, state).data();
    const float* const own_x = own.data() + length;
    const float* const mean_anchor = mixed.data();
    const float* const mean_x = mixed.data() + length;
    for (size_t i = 0; i < length; ++i) {
      m[i] = factor_ * m[i] + rate_ * (mean_x[i] - mean_anchor[i]) +
             pull_ * (mean_anchor[i] - anchor[i]);
      anchor[i] += m[i];
      x[i] += anchor[i] - own_x[i];
    }
  }

 private:
  const float factor_;
  const float rate_;
  const float pull_;
  FragmentAnchor anchor_;
  std::vector<float> momentum_;
};

}  // namespace

std::unique_ptr<OuterOptimizer> MakeNoLoCoOuter(size_t elements, double momentum, double rate,
                                                double pull) {
  return std::make_unique<NoLoCoOuter>(elements, momentum, rate, pull);
}

}  // namespace starling
