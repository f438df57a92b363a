#include <algorithm>

#include "peer/rounds/outer_optimizer.h"
#include "peer/runtime/check.h"

namespace starling {
namespace {

void Add(absl::Span<float> values, absl::Span<const float> own, absl::Span<const float> mixed) {
  float* const __restrict x = values.data();
  for (size_t i = 0; i < values.size(); ++i) x[i] += mixed[i] - own[i];
}

class MomentumSharingOuter : public OuterOptimizer {
 public:
  explicit MomentumSharingOuter(bool has_momentum) : has_momentum_(has_momentum) {}

  size_t slots() const override { return has_momentum_ ? 2 : 1; }

  void Begin(const State& state, absl::Span<float> contribution) override {
    CheckLengths(state, contribution.size());
    const auto momentum =
        std::copy(state.parameters.begin(), state.parameters.end(), contribution.begin());
    if (has_momentum_) std::copy(state.momentum.begin(), state.momentum.end(), momentum);
  }

  void Finish(const State& state, absl::Span<const float> own,
              absl::Span<const float> mixed) override {
    CheckLengths(state, own.size());
    CheckLengths(state, mixed.size());
    const size_t length = state.parameters.size();
    Add(state.parameters, own.first(length), mixed.first(length));
    if (has_momentum_) Add(state.momentum, own.subspan(length), mixed.subspan(length));
  }

 private:
  void CheckLengths(const State& state, size_t exchanged) const {
    STARLING_CHECK(exchanged == slots() * state.parameters.size());
    STARLING_CHECK(!has_momentum_ || state.momentum.size() == state.parameters.size());
  }

  const bool has_momentum_;
};

}  // namespace

std::unique_ptr<OuterOptimizer> MakeMomentumSharingOuter(bool has_momentum) {
  return std::make_unique<MomentumSharingOuter>(has_momentum);
}

}  // namespace starling
