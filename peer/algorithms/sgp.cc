// Stochastic gradient push: every step one message out along a rotating directed exponential graph, one in.
// Values travel with a push-sum weight, and steps act on the numerator, so the model stays unbiased also
// when messages are lost and workers come and go. Overlap SGP makes up to `overlap` steps before the
// messages of a step must be in.

#include "peer/algorithms/row.h"
#include "peer/topology/exponential.h"

namespace starling {
namespace {

Algorithm PushSumAlong(std::unique_ptr<const Topology> topology, uint64_t delay) {
  RoundSpec rounds = PlainRounds(std::move(topology), 1);
  rounds.moves_mass = true;
  rounds.delay = delay;
  Algorithm algorithm;
  algorithm.rounds.push_back(std::move(rounds));
  return algorithm;
}

}  // namespace

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
        const uint64_t peers = options.Whole("peers");
        return PushSumAlong(
            peers == 1 ? MakeOnePeerExponential() : MakeMultiPeerExponential(peers), 0);
      }};
}

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
        return PushSumAlong(MakeOnePeerExponential(), options.Whole("overlap"));
      }};
}

}  // namespace starling
