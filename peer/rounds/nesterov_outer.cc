#include <vector>

#include "peer/rounds/fragment_anchor.h"
#include "peer/rounds/parameter_outer.h"
#include "peer/runtime/check.h"

namespace starling {
namespace {

class NesterovOuter : public ParameterOuter {
 public:
  NesterovOuter(size_t elements, double rate, double momentum, double keep)
      : rate_(static_cast<float>(rate)),
        factor_(static_cast<float>(momentum)),
        move_(static_cast<float>(1 - keep)),
        anchor_(elements),
        momentum_(elements) {}

 private:
  void OnBegin(const State& state) override { anchor_.Begin(state); }

  void Apply(const State& state, absl::Span<const float> own,
             absl::Span<const float> mixed) override {
    const size_t length = state.parameters.size();
    float* const __restrict x = state.parameters.data();
    float* const __restrict anchor = anchor_.Of(state).data();
    float* const __restrict m = FragmentOf(momentum_, state).data();
    for (size_t i = 0; i < length; ++i) {
      const float difference = anchor[i] - mixed[i];
      m[i] = factor_ * m[i] + difference;
      anchor[i] -= rate_ * (difference + factor_ * m[i]);
      x[i] += move_ * (anchor[i] - own[i]);
    }
  }

  const float rate_;
  const float factor_;
  const float move_;
  FragmentAnchor anchor_;
  std::vector<float> momentum_;
};

}  // namespace

std::unique_ptr<OuterOptimizer> MakeNesterovOuter(size_t elements, double rate, double momentum,
                                                  double keep) {
  STARLING_CHECK(keep >= 0 && keep < 1);
  return std::make_unique<NesterovOuter>(elements, rate, momentum, keep);
}

}  // namespace starling
