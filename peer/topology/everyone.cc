#include "peer/topology/everyone.h"

#include <numeric>

#include "peer/topology/place.h"

namespace starling {
namespace {

class CompleteGraph : public Topology {
 public:
  explicit CompleteGraph(bool everyone) : everyone_(everyone) {}

  absl::string_view name() const override { return everyone_ ? "everyone" : "complete"; }

  Neighbours Of(const RoundPlace& place) const override {
    CheckPlace(place);
    std::vector<size_t> all(place.members);
    std::iota(all.begin(), all.end(), size_t{0});
    return MeanOf(all, place.self);
  }

  bool everyone() const override { return everyone_; }
  bool symmetric() const override { return true; }
  uint64_t exact_after(size_t members) const override { return members > 1 ? 1 : 0; }

 private:
  const bool everyone_;
};

}  // namespace

std::unique_ptr<const Topology> MakeEveryone() { return std::make_unique<CompleteGraph>(true); }

std::unique_ptr<const Topology> MakeComplete() { return std::make_unique<CompleteGraph>(false); }

}  // namespace starling
