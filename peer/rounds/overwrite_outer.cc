#include <algorithm>

#include "peer/rounds/outer_optimizer.h"
#include "peer/runtime/check.h"

namespace starling {
namespace {

class OverwriteOuter : public OuterOptimizer {
 public:
  void Begin(const State& state, absl::Span<float> contribution) override {
    STARLING_CHECK(contribution.size() == state.parameters.size());
    std::copy(state.parameters.begin(), state.parameters.end(), contribution.begin());
  }

  void Finish(const State& state, absl::Span<const float> own,
              absl::Span<const float> mixed) override {
    const size_t length = state.parameters.size();
    STARLING_CHECK(own.size() == length && mixed.size() == length);
    float* const __restrict x = state.parameters.data();
    // The other's values are 2 mixed - own.
    for (size_t i = 0; i < length; ++i) x[i] = 0.5f * (x[i] - own[i]) + mixed[i];
  }
};

}  // namespace

std::unique_ptr<OuterOptimizer> MakeOverwriteOuter() { return std::make_unique<OverwriteOuter>(); }

}  // namespace starling
