#include "peer/rounds/parameter_outer.h"

namespace starling {
namespace {

class OverwriteOuter : public ParameterOuter {
 private:
  void Apply(const State& state, absl::Span<const float> own,
             absl::Span<const float> mixed) override {
    const size_t length = state.parameters.size();
    float* const __restrict x = state.parameters.data();
    // The other's values are 2 mixed - own.
    for (size_t i = 0; i < length; ++i) x[i] = 0.5f * (x[i] - own[i]) + mixed[i];
  }
};

}  // namespace

std::unique_ptr<OuterOptimizer> MakeOverwriteOuter() { return std::make_unique<OverwriteOuter>(); }

}  // namespace starling
