// Overlap SGP: as sgp, but up to `overlap` steps are made before the messages of a step must be in.

#include "peer/algorithms/row.h"
#include "peer/topology/exponential.h"

namespace starling {

AlgorithmRow OsgpRow() {
  return {
      "osgp",
      "SGP whose messages travel while the next steps are made",
      "Assran et al. 2019",
      "1811.10792",
      {{"overlap", 1, 1, 64, true, true,
        "steps that may be made before a message must be in; up: waits less, mixes older values"}},
      AlgorithmGuarantees{.sum = AlgorithmGuarantees::Sum::kWeighted},
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext&) -> absl::StatusOr<Algorithm> {
        Algorithm algorithm;
        RoundSpec rounds = PlainRounds(MakeOnePeerExponential(), 1);
        rounds.moves_mass = true;
        rounds.delay = options.Whole("overlap");
        algorithm.rounds.push_back(std::move(rounds));
        return algorithm;
      }};
}

}  // namespace starling
