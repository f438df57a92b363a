// NoLoCo: DiLoCo without an all-reduce. Pairs drawn by lot mix anchors and displacements; a third term pulls
// the anchors together. Momentum 0.9, the reference code's default argument, makes consensus diverge; the
// published configurations use 0.5.

#include "peer/algorithms/row.h"
#include "peer/topology/groups.h"

namespace starling {

AlgorithmRow NoLoCoRow() {
  return {
      "noloco",
      "DiLoCo among pairs drawn by lot, with a pull between their anchors",
      "Kolehmainen et al. 2025",
      "2506.10911",
      {PeriodOption(50),
       {"momentum", 0.5, 0, 0.7, true, false, "outer momentum; above 0.7 the anchors drift apart"},
       {"rate", 0.7, 0, 1.5, false, false, "outer step length"},
       {"pull", 0.7, 0, 1.5, false, false, "towards the mean anchor of the pair; above 1.5 unstable"},
       {"group", 2, 2, 64, true, true, "workers that mix; up: closer agreement, more bytes"}},
      AlgorithmGuarantees{.alone_is_local = false, .because = "the outer momentum goes on by itself"},
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext&) -> absl::StatusOr<Algorithm> {
        Algorithm algorithm;
        RoundSpec rounds =
            PlainRounds(MakeRandomGroups(options.Whole("group")), options.Whole("tau"));
        rounds.outer = [momentum = options["momentum"], rate = options["rate"],
                        pull = options["pull"]](size_t elements, bool) {
          return MakeNoLoCoOuter(elements, momentum, rate, pull);
        };
        algorithm.rounds.push_back(std::move(rounds));
        return algorithm;
      }};
}

}  // namespace starling
