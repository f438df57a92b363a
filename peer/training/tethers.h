// Pulls towards remembered leaders (Leader SGD, arXiv 1905.10395): after every local step
//
//   x <- x + strength (anchor - x)       for each tether that has an anchor
//
// An anchor is the leader's parameters as the last exchange brought them, shard by shard. Owned by
// TrainingActor.

#ifndef STARLING_PEER_TRAINING_TETHERS_H_
#define STARLING_PEER_TRAINING_TETHERS_H_

#include <cstddef>
#include <vector>

#include "absl/types/span.h"

namespace starling {

class Tethers {
 public:
  explicit Tethers(const std::vector<double>& strengths) {
    for (const double strength : strengths) tethers_.push_back({static_cast<float>(strength), {}});
  }

  bool Has(size_t tether) const { return tether < tethers_.size(); }

  // The part of an anchor from `offset` on. The rest of a fresh anchor lies where the parameters are.
  void SetAnchor(size_t tether, size_t offset, absl::Span<const float> values,
                 absl::Span<const float> parameters) {
    if (tether >= tethers_.size()) return;
    std::vector<float>& anchor = tethers_[tether].anchor;
    if (anchor.empty()) anchor.assign(parameters.begin(), parameters.end());
    for (size_t i = 0; i < values.size(); ++i) anchor[offset + i] = values[i];
  }

  // Whoever leads is held by nobody.
  void DropAnchors() {
    for (Tether& tether : tethers_) tether.anchor.clear();
  }

  void Pull(absl::Span<float> parameters) const {
    for (const Tether& tether : tethers_) {
      const float strength = tether.strength;
      const float* const __restrict anchor = tether.anchor.data();
      float* const __restrict x = parameters.data();
      for (size_t i = 0; i < tether.anchor.size(); ++i) x[i] += strength * (anchor[i] - x[i]);
    }
  }

 private:
  struct Tether {
    float strength;
    std::vector<float> anchor;  // empty: none
  };
  std::vector<Tether> tethers_;
};

}  // namespace starling

#endif  // STARLING_PEER_TRAINING_TETHERS_H_
