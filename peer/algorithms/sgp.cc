// Stochastic gradient push: every step one message out along a rotating directed exponential graph, one in.
// Values travel with a push-sum weight, and steps act on the numerator, so the model stays unbiased also
// when messages are lost and workers come and go.

#include "peer/algorithms/row.h"
#include "peer/topology/exponential.h"

namespace starling {

AlgorithmRow SgpRow() {
  return {
      "sgp",
      "push-sum along a rotating exponential graph, one message out and one in a step",
      "Assran et al. 2019",
      "1811.10792",
      {{"peers", 1, 1, 8, true, true, "messages out in a step; up: closer agreement, more bytes"}},
      AlgorithmGuarantees{.sum = AlgorithmGuarantees::Sum::kWeighted},
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext&) -> absl::StatusOr<Algorithm> {
        Algorithm algorithm;
        RoundSpec rounds = PlainRounds(options.Whole("peers") == 1
                                           ? MakeOnePeerExponential()
                                           : MakeMultiPeerExponential(options.Whole("peers")), 1);
        rounds.moves_mass = true;
        algorithm.rounds.push_back(std::move(rounds));
        return algorithm;
      }};
}

}  // namespace starling
