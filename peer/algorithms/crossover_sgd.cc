// Crossover-SGD: the model is cut into segments, and each is mixed with another partner, so that one step
// mixes a worker with up to `segments` others at the cost of one model. Partners are derangements: everybody
// sends and receives once per segment. With groups, gradients are averaged inside a group, whose members so
// stay equal, and members of equal rank cross over between the groups. Gradients have no force that brings
// members together again once they differ (one missed a round), so with groups everybody takes the exact mean
// now and then.

#include "peer/algorithms/row.h"
#include "peer/topology/groups.h"
#include "peer/topology/random_pairs.h"

namespace starling {

AlgorithmRow CrossoverSgdRow() {
  return {
      "crossover_sgd",
      "segments of the model are mixed with different partners, load-balanced",
      "Yeo et al. 2020",
      "2012.15198",
      {{"segments", 4, 1, 256, true, true, "parts of the model; up: more partners a step, smaller messages"},
       {"group_size", 1, 1, 1024, true, true,
        "workers that act as one: they average gradients; up: closer to all-reduce, more bytes"},
       {"resync", 100, 0, 1e9, true, true,
        "with groups: steps between everybody's exact means, against differences after faults; 0: never"}},
      AlgorithmGuarantees(),
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext& context) -> absl::StatusOr<Algorithm> {
        Algorithm algorithm;
        const uint64_t group_size = options.Whole("group_size");
        algorithm.segments = static_cast<uint32_t>(options.Whole("segments"));
        std::unique_ptr<const Topology> topology = MakeCrossoverDerangement();
        if (group_size > 1) {
          topology = MakeBetweenGroups(group_size, std::move(topology));
          RoundSpec gradients;
          gradients.payload = RoundSpec::Payload::kGradient;
          gradients.topology = MakeGroups(group_size);
          algorithm.rounds.push_back(std::move(gradients));
        }
        if (absl::Status status = CheckTopology(*topology, context); !status.ok()) {
          return status;
        }
        algorithm.rounds.push_back(PlainRounds(std::move(topology), 1));
        algorithm.rounds.back().by_segment = true;
        if (group_size > 1) algorithm.rounds.back().global_every = options.Whole("resync");
        return algorithm;
      }};
}

}  // namespace starling
