#include "peer/topology/groups.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/runtime/check.h"
#include "peer/topology/place.h"

namespace starling {
namespace {

class RandomGroups : public Topology {
 public:
  explicit RandomGroups(uint64_t group_size) : group_size_(group_size) {
    STARLING_CHECK(group_size >= 1);
  }

  absl::string_view name() const override { return "random_groups"; }

  Neighbours Of(const RoundPlace& place) const override {
    CheckPlace(place);
    Random random = SharedRandom(place, "random_groups");
    const std::vector<size_t> order = RandomOrder(place.members, random);
    const size_t seat = std::find(order.begin(), order.end(), place.self) - order.begin();
    return MeanOf(absl::MakeConstSpan(order).subspan(seat - seat % group_size_, group_size_),
                  place.self);
  }

  bool symmetric() const override { return true; }
  uint64_t exact_after(size_t members) const override {
    return members > 1 && group_size_ >= members ? 1 : 0;
  }

 private:
  const uint64_t group_size_;
};

class Groups : public Topology {
 public:
  explicit Groups(uint64_t group_size) : group_size_(group_size) {
    STARLING_CHECK(group_size >= 1);
  }

  absl::string_view name() const override { return "groups"; }

  Neighbours Of(const RoundPlace& place) const override {
    CheckPlace(place);
    const size_t first = place.self - place.self % group_size_;
    std::vector<size_t> group(std::min<uint64_t>(group_size_, place.members - first));
    std::iota(group.begin(), group.end(), first);
    return MeanOf(group, place.self);
  }

  bool symmetric() const override { return true; }
  uint64_t exact_after(size_t members) const override {
    return members > 1 && group_size_ >= members ? 1 : 0;
  }

 private:
  const uint64_t group_size_;
};

class BetweenGroups : public Topology {
 public:
  BetweenGroups(uint64_t group_size, std::unique_ptr<const Topology> base)
      : group_size_(group_size),
        base_(std::move(base)),
        name_(absl::StrCat(base_->name(), "_between_groups")) {
    STARLING_CHECK(group_size >= 1);
  }

  absl::string_view name() const override { return name_; }

  Neighbours Of(const RoundPlace& place) const override {
    CheckPlace(place);
    const size_t rank = place.self % group_size_;
    RoundPlace group = place;
    group.members = GroupsWithRank(rank, place.members);
    group.self = place.self / group_size_;
    return Renamed(base_->Of(group), [&](size_t j) { return j * group_size_ + rank; });
  }

  bool symmetric() const override { return base_->symmetric(); }
  bool doubly_stochastic(size_t members) const override {
    return base_->doubly_stochastic(GroupsWithRank(0, members)) &&
           base_->doubly_stochastic(GroupsWithRank(LastRank(members), members));
  }
  uint64_t exact_after(size_t members) const override {
    return group_size_ == 1 ? base_->exact_after(members) : 0;
  }
  absl::Status Supports(size_t members) const override {
    for (const size_t rank : {size_t{0}, LastRank(members)}) {
      const size_t groups = GroupsWithRank(rank, members);
      const absl::Status status = base_->Supports(groups);
      if (status.ok()) continue;
      return absl::InvalidArgumentError(absl::StrCat(name_, ": ", members, " members in groups of ",
                                                     group_size_, " make ", groups,
                                                     " groups, and ", status.message()));
    }
    return absl::OkStatus();
  }

 private:
  // The last rank there is; of all ranks it is in the fewest groups, and 0 in the most.
  size_t LastRank(size_t members) const { return std::min<uint64_t>(group_size_, members) - 1; }

  size_t GroupsWithRank(size_t rank, size_t members) const {
    return members / group_size_ + (rank < members % group_size_ ? 1 : 0);
  }

  const uint64_t group_size_;
  const std::unique_ptr<const Topology> base_;
  const std::string name_;
};

class AlternatingGroups : public Topology {
 public:
  AlternatingGroups(uint64_t group_size, std::unique_ptr<const Topology> base)
      : group_size_(group_size),
        base_(*base),
        name_(absl::StrCat(base->name(), "_alternating_groups")),
        within_(group_size),
        between_(group_size, std::move(base)) {}

  absl::string_view name() const override { return name_; }

  Neighbours Of(const RoundPlace& place) const override {
    RoundPlace half = place;
    half.round = place.round / 2;
    return place.round % 2 == 0 ? within_.Of(half) : between_.Of(half);
  }

  bool symmetric() const override { return between_.symmetric(); }
  bool doubly_stochastic(size_t members) const override {
    return between_.doubly_stochastic(members);
  }
  uint64_t exact_after(size_t members) const override {
    if (members > 1 && group_size_ >= members) return 2;
    return members % group_size_ == 0 ? 2 * base_.exact_after(members / group_size_) : 0;
  }
  absl::Status Supports(size_t members) const override { return between_.Supports(members); }

 private:
  const uint64_t group_size_;
  const Topology& base_;  // between_ owns it
  const std::string name_;
  const Groups within_;
  const BetweenGroups between_;
};

}  // namespace

std::unique_ptr<const Topology> MakeRandomGroups(uint64_t group_size) {
  return std::make_unique<RandomGroups>(group_size);
}

std::unique_ptr<const Topology> MakeGroups(uint64_t group_size) {
  return std::make_unique<Groups>(group_size);
}

std::unique_ptr<const Topology> MakeBetweenGroups(uint64_t group_size,
                                                  std::unique_ptr<const Topology> base) {
  return std::make_unique<BetweenGroups>(group_size, std::move(base));
}

std::unique_ptr<const Topology> MakeAlternatingGroups(uint64_t group_size,
                                                      std::unique_ptr<const Topology> base) {
  return std::make_unique<AlternatingGroups>(group_size, std::move(base));
}

}  // namespace starling
