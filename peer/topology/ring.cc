#include "peer/topology/ring.h"

#include "peer/topology/place.h"

namespace starling {
namespace {

class Ring : public Topology {
 public:
  absl::string_view name() const override { return "ring"; }

  Neighbours Of(const RoundPlace& place) const override {
    CheckPlace(place);
    if (place.members == 1) return {};
    if (place.members == 2) return PairedWith(1 - place.self);
    const size_t three[] = {Behind(place.self, 1, place.members), place.self,
                            Ahead(place.self, 1, place.members)};
    return MeanOf(three, place.self);
  }

  bool symmetric() const override { return true; }
  uint64_t exact_after(size_t members) const override {
    return members == 2 || members == 3 ? 1 : 0;
  }
};

class OnePeerRing : public Topology {
 public:
  absl::string_view name() const override { return "one_peer_ring"; }

  Neighbours Of(const RoundPlace& place) const override {
    CheckPlace(place);
    const size_t n = place.members;
    const size_t first = place.round % n;
    const size_t seat = Behind(place.self, first, n);
    const size_t opposite = seat ^ 1;
    if (opposite >= n) return {};
    return PairedWith(Ahead(first, opposite, n));
  }

  bool symmetric() const override { return true; }
  uint64_t exact_after(size_t members) const override {
    return members == 2 ? 1 : members == 4 ? 2 : 0;
  }
};

}  // namespace

std::unique_ptr<const Topology> MakeRing() { return std::make_unique<Ring>(); }

std::unique_ptr<const Topology> MakeOnePeerRing() { return std::make_unique<OnePeerRing>(); }

}  // namespace starling
