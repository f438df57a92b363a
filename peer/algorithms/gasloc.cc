// GASLoC: accelerated gossip of local-SGD displacements along pairs drawn by lot.

#include "peer/algorithms/row.h"
#include "peer/topology/random_pairs.h"

namespace starling {

AlgorithmRow GaslocRow() {
  return {
      "gasloc",
      "pairs drawn by lot average their displaced models, accelerated by momentum",
      "Cagnasso et al. 2026",
      "2606.11081",
      {PeriodOption(16),
       {"alpha", 1, 0, 1, false, false, "strength of a pair's average; 1 is exact"},
       {"gamma", 0.3, 0, 0.6, true, false, "acceleration; 0: plain averaging, above 0.6 unstable"},
       {"rate", 1, 0, 2, false, false, "share of the local displacement that counts"}},
      AlgorithmGuarantees{.alone_is_local = false, .because = "the acceleration goes on by itself"},
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext&) -> absl::StatusOr<Algorithm> {
        Algorithm algorithm;
        RoundSpec rounds = PlainRounds(MakeRandomMatching(), options.Whole("tau"));
        rounds.outer = [rate = options["rate"], alpha = options["alpha"],
                        gamma = options["gamma"]](size_t elements, bool) {
          return MakeGaslocOuter(elements, rate, alpha, gamma);
        };
        algorithm.rounds.push_back(std::move(rounds));
        return algorithm;
      }};
}

}  // namespace starling
