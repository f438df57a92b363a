// Leader SGD: workers are pulled towards the one with the lowest loss, at every communication by c, and
// between communications a little at every step towards the leader as it was then. With several groups,
// to the leader of the own group mostly and to the global one every `ratio`-th time. Losses travel with
// membership; nobody elects anybody.

#include "peer/algorithms/row.h"
#include "peer/gossip/pull_mix.h"

namespace starling {

AlgorithmRow LsgdRow() {
  return {
      "lsgd",
      "workers are pulled towards the worker that has the lowest loss",
      "Teng et al. 2019",
      "1905.10395",
      {PeriodOption(4),
       {"c", 0.1, 0, 1, false, false, "share of the way to the leader at a communication"},
       {"pull", 0.1, 0, 1, true, false, "share of the way over the steps between two; 0: none"},
       {"groups", 1, 1, 64, true, true, "groups, each with a leader of its own"},
       {"ratio", 4, 1, 1000, true, true, "with groups: every so many times to the global leader"}},
      AlgorithmGuarantees{.sum = AlgorithmGuarantees::Sum::kMoves,
                          .needs_losses = true,
                          .because = "the leader, who has the lowest loss, does not move"},
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext&) -> absl::StatusOr<Algorithm> {
        Algorithm algorithm;
        const uint64_t tau = options.Whole("tau");
        const uint64_t groups = options.Whole("groups");
        algorithm.schedule = MakePeriodicCoin(tau, 1);
        algorithm.selector = MakeLeaderSelector(static_cast<uint32_t>(groups),
                                                groups == 1 ? 1 : options.Whole("ratio"));
        algorithm.mix = MakePullMix(options["c"]);
        const double each_step = options["pull"] / static_cast<double>(tau);
        const double ratio = groups == 1 ? 1 : options["ratio"];
        algorithm.tethers = {each_step / ratio};
        if (groups > 1) algorithm.tethers.push_back(each_step);
        return algorithm;
      }};
}

}  // namespace starling
