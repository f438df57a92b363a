// Local SGD with a slow momentum between the means.

#include "peer/algorithms/row.h"
#include "peer/topology/everyone.h"

namespace starling {

AlgorithmRow SlowMoRow() {
  return {
      "slowmo",
      "local SGD whose means are steps of a slow outer momentum",
      "Wang et al. 2020",
      "1910.00643",
      {PeriodOption(48),
       {"beta", 0.5, 0, 0.999, true, false, "slow momentum; 0: local SGD"},
       {"step", 1, 0, 2, false, false, "length of the slow step; 1: as far as the mean"}},
      AlgorithmGuarantees{.alone_is_local = false, .because = "the outer momentum goes on by itself"},
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext&) -> absl::StatusOr<Algorithm> {
        Algorithm algorithm;
        RoundSpec rounds = PlainRounds(MakeEveryone(), options.Whole("tau"));
        rounds.outer = [beta = options["beta"], step = options["step"]](size_t elements, bool) {
          return MakeSlowMomentumOuter(elements, beta, step);
        };
        algorithm.rounds.push_back(std::move(rounds));
        return algorithm;
      }};
}

}  // namespace starling
