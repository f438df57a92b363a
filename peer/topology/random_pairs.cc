#include "peer/topology/random_pairs.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "peer/runtime/check.h"
#include "peer/topology/place.h"

namespace starling {
namespace {

size_t PositionOf(size_t member, const std::vector<size_t>& order) {
  return std::find(order.begin(), order.end(), member) - order.begin();
}

class RandomMatching : public Topology {
 public:
  absl::string_view name() const override { return "random_matching"; }

  Neighbours Of(const RoundPlace& place) const override {
    CheckPlace(place);
    Random random = SharedRandom(place, "random_matching");
    const std::vector<size_t> order = RandomOrder(place.members, random);
    const size_t opposite = PositionOf(place.self, order) ^ 1;
    return opposite < order.size() ? PairedWith(order[opposite]) : Neighbours{};
  }

  bool symmetric() const override { return true; }
  uint64_t exact_after(size_t members) const override { return members == 2 ? 1 : 0; }
};

class Derangement : public Topology {
 public:
  using Sampler = std::vector<size_t> (*)(size_t members, Random& random);

  Derangement(absl::string_view name, Sampler sampler) : name_(name), sampler_(sampler) {}

  absl::string_view name() const override { return name_; }

  Neighbours Of(const RoundPlace& place) const override {
    CheckPlace(place);
    if (place.members == 1) return {};
    Random random = SharedRandom(place, name_);
    const std::vector<size_t> sigma = sampler_(place.members, random);
    return HalfFrom(sigma[place.self], PositionOf(place.self, sigma));
  }

  bool symmetric() const override { return false; }
  uint64_t exact_after(size_t members) const override { return members == 2 ? 1 : 0; }

 private:
  const absl::string_view name_;  // a literal
  const Sampler sampler_;
};

}  // namespace

std::unique_ptr<const Topology> MakeRandomMatching() { return std::make_unique<RandomMatching>(); }

std::unique_ptr<const Topology> MakeRandomDerangement() {
  return std::make_unique<Derangement>("random_derangement", UniformDerangement);
}

std::unique_ptr<const Topology> MakeCrossoverDerangement() {
  return std::make_unique<Derangement>("crossover_derangement", CrossoverDerangement);
}

std::vector<size_t> UniformDerangement(size_t members, Random& random) {
  if (members < 2) return {};
  std::vector<size_t> sigma(members);
  for (;;) {
    std::iota(sigma.begin(), sigma.end(), size_t{0});
    // Fisher-Yates settles the places from the last to the first; the first fixed point ends the
    // try.
    size_t unsettled = members;
    while (unsettled > 0) {
      const size_t r = unsettled - 1;
      std::swap(sigma[r], sigma[random.UniformInt(unsettled)]);
      if (sigma[r] == r) break;
      --unsettled;
    }
    if (unsettled == 0) return sigma;
  }
}

std::vector<size_t> CrossoverDerangement(size_t members, Random& random) {
  if (members < 2) return {};
  // `free` in any order, and where each of them is in it.
  std::vector<size_t> free(members);
  std::iota(free.begin(), free.end(), size_t{0});
  std::vector<size_t> position = free;
  std::vector<bool> taken(members, false);
  std::vector<size_t> sigma(members);
  const size_t last = members - 1;
  for (size_t r = 0; r < members; ++r) {
    size_t index;
    if (r + 1 == last && !taken[last]) {
      index = position[last];
    } else {
      const size_t choices = free.size() - (taken[r] ? 0 : 1);
      STARLING_CHECK(choices > 0);
      index = random.UniformInt(choices);
      if (!taken[r] && index >= position[r]) ++index;
    }
    sigma[r] = free[index];
    taken[sigma[r]] = true;
    free[index] = free.back();
    position[free[index]] = index;
    free.pop_back();
  }
  return sigma;
}

}  // namespace starling
