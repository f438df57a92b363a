#include <algorithm>

#include "peer/rounds/outer_optimizer.h"
#include "peer/runtime/check.h"

namespace starling {
namespace {

class PlainOuter : public OuterOptimizer {
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
    for (size_t i = 0; i < length; ++i) x[i] += mixed[i] - own[i];
  }
};

}  // namespace

std::unique_ptr<OuterOptimizer> MakePlainOuter() { return std::make_unique<PlainOuter>(); }

}  // namespace starling
