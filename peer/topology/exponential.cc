#include "peer/topology/exponential.h"

#include <algorithm>
#include <bit>

#include "peer/runtime/check.h"
#include "peer/topology/place.h"

namespace starling {
namespace {

uint64_t ExactForPowersOfTwo(size_t members) {
  return std::has_single_bit(members) ? CeilLog2(members) : 0;
}

// 2^(round mod L); members >= 2.
size_t DistanceOf(const RoundPlace& place) {
  return size_t{1} << (place.round % CeilLog2(place.members));
}

class OnePeerExponential : public Topology {
 public:
  absl::string_view name() const override { return "one_peer_exponential"; }

  Neighbours Of(const RoundPlace& place) const override {
    CheckPlace(place);
    if (place.members == 1) return {};
    const size_t distance = DistanceOf(place);
    return HalfFrom(Behind(place.self, distance, place.members),
                    Ahead(place.self, distance, place.members));
  }

  bool symmetric() const override { return false; }
  uint64_t exact_after(size_t members) const override { return ExactForPowersOfTwo(members); }
};

class Dissemination : public Topology {
 public:
  absl::string_view name() const override { return "dissemination"; }

  Neighbours Of(const RoundPlace& place) const override {
    CheckPlace(place);
    if (place.members == 1) return {};
    const size_t distance = DistanceOf(place);
    return HalfFrom(Ahead(place.self, distance, place.members),
                    Behind(place.self, distance, place.members));
  }

  bool symmetric() const override { return false; }
  uint64_t exact_after(size_t members) const override { return ExactForPowersOfTwo(members); }
};

class MultiPeerExponential : public Topology {
 public:
  explicit MultiPeerExponential(uint64_t peers) : peers_(peers) { STARLING_CHECK(peers >= 1); }

  absl::string_view name() const override { return "multi_peer_exponential"; }

  Neighbours Of(const RoundPlace& place) const override {
    CheckPlace(place);
    const size_t n = place.members;
    if (n == 1) return {};
    size_t unit = 1;
    for (uint64_t e = place.round % Cycle(n); e > 0; --e) unit *= Base(n);
    std::vector<size_t> distances;
    size_t distance = 0;
    for (size_t j = 1; j < Base(n); ++j) {
      distance = (distance + unit) % n;
      if (distance != 0) distances.push_back(distance);
    }
    std::sort(distances.begin(), distances.end());
    distances.erase(std::unique(distances.begin(), distances.end()), distances.end());

    Neighbours neighbours;
    const double weight = 1.0 / static_cast<double>(distances.size() + 1);
    for (const size_t hop : distances) {
      neighbours.in.push_back({Behind(place.self, hop, n), weight});
      neighbours.out.push_back(Ahead(place.self, hop, n));
    }
    SortNeighbours(neighbours);
    return neighbours;
  }

  bool symmetric() const override { return false; }

  uint64_t exact_after(size_t members) const override {
    if (members == 1) return 0;
    size_t power = 1;
    while (power < members) power *= Base(members);
    return power == members ? Cycle(members) : 0;
  }

 private:
  // Nobody has more than n - 1 peers. Keeps all products below n^2.
  size_t Base(size_t members) const { return std::min<uint64_t>(peers_, members - 1) + 1; }

  // The least L with Base^L >= members; members >= 2.
  uint64_t Cycle(size_t members) const {
    uint64_t rounds = 0;
    for (size_t power = 1; power < members; power *= Base(members)) ++rounds;
    return rounds;
  }

  const uint64_t peers_;
};

}  // namespace

std::unique_ptr<const Topology> MakeOnePeerExponential() {
  return std::make_unique<OnePeerExponential>();
}

std::unique_ptr<const Topology> MakeMultiPeerExponential(uint64_t peers) {
  return std::make_unique<MultiPeerExponential>(peers);
}

std::unique_ptr<const Topology> MakeDissemination() { return std::make_unique<Dissemination>(); }

}  // namespace starling
