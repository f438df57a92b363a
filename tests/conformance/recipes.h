// RoundSpecs and topologies that several files of the conformance suite use.

#ifndef STARLING_TESTS_CONFORMANCE_RECIPES_H_
#define STARLING_TESTS_CONFORMANCE_RECIPES_H_

#include <memory>
#include <utility>

#include "peer/rounds/round_spec.h"
#include "peer/runtime/random.h"

namespace starling {

inline std::shared_ptr<const Topology> Shared(std::unique_ptr<const Topology> topology) {
  return topology;
}

// A round after every step, parameters, adapt then combine.
inline RoundSpec Gossip(std::shared_ptr<const Topology> topology) {
  RoundSpec spec;
  spec.topology = std::move(topology);
  spec.outer = [](size_t, bool) { return MakePlainOuter(); };
  return spec;
}

inline RoundSpec PushSum(std::shared_ptr<const Topology> topology) {
  RoundSpec spec = Gossip(std::move(topology));
  spec.moves_mass = true;
  return spec;
}

// Everybody's outer optimizer made by `make(elements)`, a round every `period` steps.
template <typename Make>
RoundSpec Outer(std::shared_ptr<const Topology> topology, uint64_t period, Make make) {
  RoundSpec spec = Gossip(std::move(topology));
  spec.period = period;
  spec.outer = [make](size_t elements, bool) { return make(elements); };
  return spec;
}

// Nobody with anybody: W = I.
class Nobody : public Topology {
 public:
  absl::string_view name() const override { return "nobody"; }
  Neighbours Of(const RoundPlace&) const override { return {}; }
  bool symmetric() const override { return true; }
};

// Everybody sends to a random other, so some receive much and some nothing: only push-sum leaves
// the mean where it is.
class RandomPush : public Topology {
 public:
  absl::string_view name() const override { return "random_push"; }
  Neighbours Of(const RoundPlace& place) const override {
    Neighbours neighbours;
    if (place.members < 2) return neighbours;
    for (size_t other = 0; other < place.members; ++other) {
      if (TargetOf(other, place) == place.self) neighbours.in.push_back({other, 0});
    }
    for (Inbound& inbound : neighbours.in) inbound.weight = 1.0 / (neighbours.in.size() + 1);
    neighbours.out = {TargetOf(place.self, place)};
    return neighbours;
  }
  bool symmetric() const override { return false; }
  bool doubly_stochastic(size_t) const override { return false; }

 private:
  static size_t TargetOf(size_t member, const RoundPlace& place) {
    Random random = Random(place.seed).Split(place.round).Split(member);
    return (member + 1 + random.UniformInt(place.members - 1)) % place.members;
  }
};

inline std::shared_ptr<const Topology> MakeRandomPush() { return std::make_shared<RandomPush>(); }

}  // namespace starling

#endif  // STARLING_TESTS_CONFORMANCE_RECIPES_H_
