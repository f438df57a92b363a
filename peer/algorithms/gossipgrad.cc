// GossipGraD: one partner a step, chosen so that everything reaches everybody in log2(n) steps; partners
// rotate. The authors' code averages parameters and momentum (payload 0); its overlapped generation is
// payload 1, as differences, or 3, as the overwrite that halves the learning rate; averaging gradients
// alone (2) has no force that keeps workers together.

#include "peer/algorithms/row.h"
#include "peer/topology/exponential.h"
#include "peer/topology/exponential_pairs.h"
#include "peer/topology/rotated.h"

namespace starling {

AlgorithmRow GossipGradRow() {
  return {
      "gossipgrad",
      "one partner a step by hypercube or dissemination, partners rotate; momentum is shared",
      "Daily et al. 2018",
      "1803.05880",
      {FlagOption("hypercube", false, "1: pairs that differ in one bit (2^r workers); 0: dissemination"),
       FlagOption("rotate", true, "1: seats are drawn anew after every cycle"),
       {"payload", 0, 0, 3, true, true,
        "0 parameters and momentum; 1 the same, overlapped with the next step; 2 gradients only; 3 as 1, "
        "applied by overwriting, which halves the learning rate: for comparison only"},
       FlagOption("shuffle", false, "1: every pass over the own samples, they move on to the neighbour")},
      AlgorithmGuarantees{.contracts = true, .because = ""},
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext& context) -> absl::StatusOr<Algorithm> {
        std::unique_ptr<const Topology> topology =
            options.Flag("hypercube") ? MakeHypercube() : MakeDissemination();
        if (options.Flag("rotate")) topology = MakeRotated(std::move(topology), 0);
        if (absl::Status status = CheckTopology(*topology, context); !status.ok()) {
          return absl::InvalidArgumentError(absl::StrCat(
              status.message(), " (hypercube=0, or rotate=1, works with any number)"));
        }
        Algorithm algorithm;
        algorithm.rotates_data = options.Flag("shuffle");
        RoundSpec rounds = PlainRounds(std::move(topology), 1);
        switch (options.Whole("payload")) {
          case 0:
          case 1:
            rounds.delay = options.Whole("payload");
            rounds.outer = [](size_t, bool has_momentum) {
              return MakeMomentumSharingOuter(has_momentum);
            };
            break;
          case 2:
            rounds.payload = RoundSpec::Payload::kGradient;
            break;
          default:
            rounds.delay = 1;
            rounds.outer = [](size_t, bool) { return MakeOverwriteOuter(); };
        }
        algorithm.rounds.push_back(std::move(rounds));
        return algorithm;
      }};
}

}  // namespace starling
