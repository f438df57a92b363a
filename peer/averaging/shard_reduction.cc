#include "peer/averaging/shard_reduction.h"

#include <algorithm>
#include <utility>

#include "peer/averaging/weighted_mean.h"
#include "peer/gossip/data_gate.h"
#include "peer/runtime/check.h"

namespace starling {

void ShardReduction::Add(PeerId peer, double weight, SharedBytes values) {
  if (!open()) return;
  contributions_.try_emplace(peer, Contribution{weight, std::move(values)});
}

void ShardReduction::Screen(absl::Span<const float> own) {
  STARLING_CHECK(open());
  for (auto each = contributions_.begin(); each != contributions_.end();) {
    const bool unfit = OutOfScale(each->second.values.floats(), own).has_value();
    each = unfit ? contributions_.erase(each) : std::next(each);
  }
}

void ShardReduction::Close(BufferPool* buffers) {
  STARLING_CHECK(open());
  if (contributions_.size() < 2) {
    state_ = State::kAbandoned;
    contributions_.clear();
    return;
  }
  std::vector<WeightedValues> terms;
  std::vector<PeerId> contributors;
  for (const auto& [peer, contribution] : contributions_) {
    terms.push_back({contribution.weight, contribution.values.floats()});
    contributors.push_back(peer);
  }
  MutableBuffer mean = buffers->Take(terms.front().values.size());
  WeightedMean(terms, mean.floats());
  average_ = std::move(mean).Freeze();
  contributors_ = std::make_shared<const std::vector<PeerId>>(std::move(contributors));
  contributions_.clear();
  state_ = State::kAveraged;
}

bool ShardReduction::Includes(PeerId peer) const {
  return averaged() && std::binary_search(contributors_->begin(), contributors_->end(), peer);
}

}  // namespace starling
