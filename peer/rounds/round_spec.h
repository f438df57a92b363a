// The rounds of an algorithm: what travels, how often, among whom, and whether training waits.
//
// In a round every member contributes a vector and takes home a mix of the others'. Two ways to do it:
// everybody's mean by reduction (peer/averaging), or each member sends its vector to its neighbours of
// the round and mixes what comes in (neighbour_round). Nobody coordinates: every peer counts rounds
// by its own steps, and topologies are pure functions of (members, round, segment, seed).

#ifndef STARLING_PEER_ROUNDS_ROUND_SPEC_H_
#define STARLING_PEER_ROUNDS_ROUND_SPEC_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>

#include "peer/rounds/outer_optimizer.h"
#include "peer/topology/topology.h"

namespace starling {

struct RoundSpec {
  enum class Payload {
    // Before the local optimizer sees it; the step waits.
    kGradient,
    // What `outer` makes of the parameters, after the step.
    kParameters,
  };
  // Steps go on without end while a round is under way; the next round is due when it has ended.
  static constexpr uint64_t kBackground = std::numeric_limits<uint64_t>::max();

  Payload payload = Payload::kParameters;
  // A round every so many steps, at least 1.
  uint64_t period = 1;
  // Steps that may be made before the round has ended. 0: adapt, then combine, and the trainer waits;
  // 1: the gradient is taken at the unmixed parameters while they travel (combine while adapting).
  uint64_t delay = 0;
  std::shared_ptr<const Topology> topology;
  // Every shard has neighbours of its own (Crossover-SGD); else all shards go to the same.
  bool by_segment = false;
  // Every so many rounds everybody's mean instead of `topology`; 0: never.
  uint64_t global_every = 0;
  // Gossip-AGA: global_every is where the adaptation starts, this the exponent of the loss ratio; 0: fixed.
  double global_exponent = 0;
  // The parameters are cut into so many fragments, and round k is about fragment k mod fragments.
  uint32_t fragments = 1;
  // The one round at the end of a run: finished members take part too, and it waits for the slow ones.
  bool final_merge = false;
  // Push-sum: every contribution carries its weight, and the mix divides by the sum of the weights.
  bool moves_mass = false;
  // For kParameters: makes the trainer's half for a model of `elements` parameters.
  std::function<std::unique_ptr<OuterOptimizer>(size_t elements, bool has_momentum)> outer;
};

}  // namespace starling

#endif  // STARLING_PEER_ROUNDS_ROUND_SPEC_H_
