#include "peer/topology/exponential_pairs.h"

#include <bit>

#include "absl/strings/str_cat.h"
#include "peer/topology/place.h"

namespace starling {
namespace {

absl::Status PowersOfTwoOnly(absl::string_view name, size_t members) {
  if (std::has_single_bit(members)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, " needs 2^r members, here ", members,
                   ": use dissemination, rotated_hypercube or random_matching, or start ",
                   std::bit_ceil(members) - members, " more"));
}

class Hypercube : public Topology {
 public:
  absl::string_view name() const override { return "hypercube"; }

  Neighbours Of(const RoundPlace& place) const override {
    CheckPlace(place);
    if (place.members == 1) return {};
    const size_t partner = place.self ^ (size_t{1} << (place.round % CeilLog2(place.members)));
    return partner < place.members ? PairedWith(partner) : Neighbours{};
  }

  bool symmetric() const override { return true; }
  uint64_t exact_after(size_t members) const override {
    return std::has_single_bit(members) ? CeilLog2(members) : 0;
  }
  absl::Status Supports(size_t members) const override { return PowersOfTwoOnly(name(), members); }
};

class MatchingExponential : public Topology {
 public:
  absl::string_view name() const override { return "matching_exponential"; }

  Neighbours Of(const RoundPlace& place) const override {
    CheckPlace(place);
    const size_t n = place.members;
    if (n == 1) return {};
    const size_t distance = size_t{1} << (place.round % CeilLog2(n));
    if (std::has_single_bit(n)) return PairedWith(place.self ^ distance);
    std::vector<bool> taken(n, false);
    for (size_t j = 0; j < n; ++j) {
      const size_t partner = Ahead(j, distance, n);
      if (taken[j] || taken[partner]) continue;
      if (j == place.self) return PairedWith(partner);
      if (partner == place.self) return PairedWith(j);
      taken[j] = taken[partner] = true;
    }
    return {};
  }

  bool symmetric() const override { return true; }
  uint64_t exact_after(size_t members) const override {
    return std::has_single_bit(members) ? CeilLog2(members) : 0;
  }
  absl::Status Supports(size_t members) const override { return PowersOfTwoOnly(name(), members); }
};

class BipartiteExponential : public Topology {
 public:
  absl::string_view name() const override { return "bipartite_exponential"; }

  Neighbours Of(const RoundPlace& place) const override {
    CheckPlace(place);
    const size_t n = place.members;
    if (n == 1) return {};
    // floor(log2(n - 1)) + 1 == ceil(log2 n) distances, each in both directions.
    const uint64_t step = place.round % (2 * CeilLog2(n));
    const uint64_t e = step / 2;
    const size_t distance = e == 0 ? 1 : 1 + (size_t{1} << e);
    const bool active = place.self % 2 == 1;
    const bool active_goes_ahead = step % 2 == 0;
    const size_t partner = active == active_goes_ahead ? Ahead(place.self, distance, n)
                                                       : Behind(place.self, distance, n);
    return partner % 2 == place.self % 2 ? Neighbours{} : PairedWith(partner);
  }

  bool symmetric() const override { return true; }
  uint64_t exact_after(size_t members) const override { return members == 2 ? 1 : 0; }
};

}  // namespace

std::unique_ptr<const Topology> MakeHypercube() { return std::make_unique<Hypercube>(); }

std::unique_ptr<const Topology> MakeMatchingExponential() {
  return std::make_unique<MatchingExponential>();
}

std::unique_ptr<const Topology> MakeBipartiteExponential() {
  return std::make_unique<BipartiteExponential>();
}

}  // namespace starling
