#include "peer/rounds/parameter_outer.h"

namespace starling {
namespace {

class PlainOuter : public ParameterOuter {
 private:
  void Apply(const State& state, absl::Span<const float> own,
             absl::Span<const float> mixed) override {
    const size_t length = state.parameters.size();
    float* const __restrict x = state.parameters.data();
    for (size_t i = 0; i < length; ++i) x[i] += mixed[i] - own[i];
  }
};

}  // namespace

std::unique_ptr<OuterOptimizer> MakePlainOuter() { return std::make_unique<PlainOuter>(); }

}  // namespace starling
