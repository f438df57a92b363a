#include "peer/rounds/fragment_anchor.h"

#include <algorithm>

#include "peer/runtime/check.h"

namespace starling {

absl::Span<float> FragmentOf(std::vector<float>& whole, const OuterOptimizer::State& state) {
  STARLING_CHECK(state.offset <= whole.size() &&
                 state.parameters.size() <= whole.size() - state.offset);
  return absl::MakeSpan(whole).subspan(state.offset, state.parameters.size());
}

bool FragmentAnchor::Begin(const OuterOptimizer::State& state) {
  const absl::Span<float> anchor = FragmentOf(values_, state);
  if (!begun_.insert(state.offset).second) return false;
  std::copy(state.parameters.begin(), state.parameters.end(), anchor.begin());
  return true;
}

absl::Span<float> FragmentAnchor::Of(const OuterOptimizer::State& state) {
  STARLING_CHECK(begun_.count(state.offset) == 1);
  return FragmentOf(values_, state);
}

}  // namespace starling
