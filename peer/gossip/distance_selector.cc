#include <algorithm>
#include <cmath>
#include <cstddef>

#include "peer/gossip/peer_selector.h"
#include "peer/gossip/workers.h"
#include "peer/runtime/check.h"

namespace starling {
namespace {

struct Place {
  double x;
  double y;
};

class DistanceSelector : public PeerSelector {
 public:
  DistanceSelector(double penalty, uint64_t seed) : penalty_(penalty), places_(seed) {}

  absl::optional<Choice> Select(const Selection& selection, Random& random) const override {
    const std::vector<Candidate> workers = OtherWorkers(selection);
    if (workers.empty()) return absl::nullopt;
    const Place own = PlaceOf(selection.self.id);
    // Logarithms first, and the largest weight scaled to 1: a strong penalty would overflow.
    std::vector<double> weights;
    for (const Candidate& worker : workers) {
      const Place place = PlaceOf(worker.id);
      weights.push_back(-penalty_ *
                        std::log(std::hypot(place.x - own.x, place.y - own.y) + 1e-5));
    }
    const double largest = *std::max_element(weights.begin(), weights.end());
    double sum = 0;
    for (double& weight : weights) sum += weight = std::exp(weight - largest);
    double drawn = random.Uniform() * sum;
    size_t chosen = 0;
    while (chosen + 1 < workers.size() && drawn >= weights[chosen]) drawn -= weights[chosen++];
    return Choice{workers[chosen].id};
  }

 private:
  Place PlaceOf(PeerId id) const {
    Random random = places_.Split(id.value());
    const double x = random.Uniform();
    return {x, random.Uniform()};
  }

  const double penalty_;
  const Random places_;
};

}  // namespace

std::unique_ptr<PeerSelector> MakeDistanceSelector(double penalty, uint64_t seed) {
  STARLING_CHECK(penalty >= 0 && std::isfinite(penalty));
  return std::make_unique<DistanceSelector>(penalty, seed);
}

}  // namespace starling
