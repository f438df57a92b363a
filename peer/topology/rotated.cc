#include "peer/topology/rotated.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/topology/place.h"

namespace starling {
namespace {

class Rotated : public Topology {
 public:
  Rotated(std::unique_ptr<const Topology> base, uint64_t rounds_per_topology)
      : base_(std::move(base)),
        rounds_per_topology_(rounds_per_topology),
        name_(absl::StrCat("rotated_", base_->name())) {}

  absl::string_view name() const override { return name_; }

  Neighbours Of(const RoundPlace& place) const override {
    CheckPlace(place);
    const uint64_t permutation = place.round / RoundsPerTopology(place.members);
    if (permutation == 0) return base_->Of(place);
    RoundPlace drawn = place;
    drawn.round = permutation;
    Random random = SharedRandom(drawn, "rotated");
    const std::vector<size_t> member_at = RandomOrder(place.members, random);
    RoundPlace seat = place;
    seat.self = std::find(member_at.begin(), member_at.end(), place.self) - member_at.begin();
    return Renamed(base_->Of(seat), [&](size_t j) { return member_at[j]; });
  }

  bool everyone() const override { return base_->everyone(); }
  bool symmetric() const override { return base_->symmetric(); }
  bool doubly_stochastic(size_t members) const override {
    return base_->doubly_stochastic(members);
  }
  uint64_t exact_after(size_t members) const override {
    const uint64_t base = base_->exact_after(members);
    return base == 0 || RoundsPerTopology(members) < base ? 0 : 2 * base - 1;
  }

 private:
  uint64_t RoundsPerTopology(size_t members) const {
    if (rounds_per_topology_ > 0) return rounds_per_topology_;
    return std::max<uint64_t>(CeilLog2(members), 1);
  }

  const std::unique_ptr<const Topology> base_;
  const uint64_t rounds_per_topology_;
  const std::string name_;
};

}  // namespace

std::unique_ptr<const Topology> MakeRotated(std::unique_ptr<const Topology> base,
                                            uint64_t rounds_per_topology) {
  return std::make_unique<Rotated>(std::move(base), rounds_per_topology);
}

}  // namespace starling
