// DiLoCo: tau local steps, then the mean displacement is the gradient of an outer Nesterov step.

#include "peer/algorithms/row.h"
#include "peer/topology/everyone.h"

namespace starling {

AlgorithmRow DiLoCoRow() {
  return {
      "diloco",
      "many local steps, then one outer Nesterov step by their mean displacement",
      "Douillard et al. 2023",
      "2311.08105",
      {PeriodOption(50),
       {"rate", 0.7, 0, 2, false, false, "outer step length"},
       {"momentum", 0.9, 0, 0.999, true, false, "outer Nesterov momentum"}},
      AlgorithmGuarantees{.alone_is_local = false, .because = "the outer momentum goes on by itself"},
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext&) -> absl::StatusOr<Algorithm> {
        if (absl::Status status = CheckOuterNesterov(options["rate"], options["momentum"]);
            !status.ok()) {
          return status;
        }
        Algorithm algorithm;
        RoundSpec rounds = PlainRounds(MakeEveryone(), options.Whole("tau"));
        rounds.outer = [rate = options["rate"], momentum = options["momentum"]](size_t elements,
                                                                              bool) {
          return MakeNesterovOuter(elements, rate, momentum, 0);
        };
        algorithm.rounds.push_back(std::move(rounds));
        return algorithm;
      }};
}

}  // namespace starling
