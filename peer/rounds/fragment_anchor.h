// A vector as long as the model that remembers, fragment by fragment, what the parameters were when
// a round first met them. For the outer optimizers in this room.

#ifndef STARLING_PEER_ROUNDS_FRAGMENT_ANCHOR_H_
#define STARLING_PEER_ROUNDS_FRAGMENT_ANCHOR_H_

#include <cstddef>
#include <set>
#include <vector>

#include "peer/rounds/outer_optimizer.h"

namespace starling {

// The part of a vector as long as the model that belongs to the fragment of `state`.
absl::Span<float> FragmentOf(std::vector<float>& whole, const OuterOptimizer::State& state);

// Fragments are cut alike in all rounds of a run, so a fragment is known by its offset.
class FragmentAnchor {
 public:
  explicit FragmentAnchor(size_t elements) : values_(elements) {}

  // True if the fragment is new; its anchor is the parameters, then.
  bool Begin(const OuterOptimizer::State& state);
  // Of a fragment that has begun.
  absl::Span<float> Of(const OuterOptimizer::State& state);

 private:
  std::vector<float> values_;
  std::set<size_t> begun_;  // offsets
};

}  // namespace starling

#endif  // STARLING_PEER_ROUNDS_FRAGMENT_ANCHOR_H_
