// DecentLaM: a plain gossip step whose whole result, gradient and mixing, is what the momentum sees. So the
// bias of heterogeneous data does not grow with the momentum, as it does for plain decentralised momentum
// SGD. A composition: plain SGD, a ring, and the slow momentum outer step after every step.

#include "peer/algorithms/row.h"
#include "peer/topology/lazy.h"
#include "peer/topology/ring.h"

namespace starling {

AlgorithmRow DecentLamRow() {
  return {
      "decentlam",
      "decentralised momentum SGD without the bias that momentum adds",
      "Yuan et al. 2021",
      "2104.11981",
      {{"momentum", 0.9, 0, 0.999, true, false, "of the whole step, mixing included"},
       FlagOption("lazy", true, "1: mixes half as strongly, which keeps high momentum stable")},
      // Momentum carries peers past each other: their distance swings, and what it swings between becomes less by
      // sqrt(momentum) a round. That leaves 0.25 after 26 rounds, and 0.12 after 40.
      AlgorithmGuarantees{.halves_in = 40,
                          .alone_is_local = false,
                          .because = "its momentum is its own: alone it is momentum SGD"},
      {"sgd"},
      [](const AlgorithmOptions& options,
         const AlgorithmContext&) -> absl::StatusOr<Algorithm> {
        Algorithm algorithm;
        RoundSpec rounds =
            PlainRounds(options.Flag("lazy") ? MakeLazy(MakeRing()) : MakeRing(), 1);
        rounds.outer = [momentum = options["momentum"]](size_t elements, bool) {
          return MakeSlowMomentumOuter(elements, momentum, 1);
        };
        algorithm.rounds.push_back(std::move(rounds));
        return algorithm;
      }};
}

}  // namespace starling
