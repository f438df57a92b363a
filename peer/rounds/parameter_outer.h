// Base of the outer optimizers whose contribution is the parameters as they are.

#ifndef STARLING_PEER_ROUNDS_PARAMETER_OUTER_H_
#define STARLING_PEER_ROUNDS_PARAMETER_OUTER_H_

#include <algorithm>

#include "peer/rounds/outer_optimizer.h"
#include "peer/runtime/check.h"

namespace starling {

class ParameterOuter : public OuterOptimizer {
 public:
  void Begin(const State& state, absl::Span<float> contribution) final {
    STARLING_CHECK(contribution.size() == state.parameters.size());
    OnBegin(state);
    std::copy(state.parameters.begin(), state.parameters.end(), contribution.begin());
  }

  void Finish(const State& state, absl::Span<const float> own,
              absl::Span<const float> mixed) final {
    STARLING_CHECK(own.size() == state.parameters.size() && mixed.size() == own.size());
    Apply(state, own, mixed);
  }

 private:
  virtual void OnBegin(const State&) {}
  // All lengths are the fragment's.
  virtual void Apply(const State& state, absl::Span<const float> own,
                     absl::Span<const float> mixed) = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_ROUNDS_PARAMETER_OUTER_H_
