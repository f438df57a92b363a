// What follows from a peer's options before it lives: its algorithm and optimizer, checked against the
// model, its identity and its part of the data. Pure.

#ifndef STARLING_PEER_PEER_SETUP_H_
#define STARLING_PEER_PEER_SETUP_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "model/dataset.h"
#include "model/model.h"
#include "model/optimizer.h"
#include "peer/gossip/admission.h"
#include "peer/gossip/algorithm.h"
#include "peer/peer_options.h"
#include "peer/training/training_actor.h"

namespace starling {

struct PeerSetup {
  Algorithm algorithm;  // with the final merge, if the run has one, as its last round
  std::unique_ptr<Optimizer> optimizer;
  std::function<std::unique_ptr<Optimizer>()> new_optimizer;  // more of the same
  std::vector<uint32_t> part;  // indices of the training examples that are ours
  uint64_t total_steps = 0;    // 0: for ever
  RunId run;
  FrameIdentity identity;

  // Index among the algorithm's rounds of the final merge; nullopt: none.
  absl::optional<size_t> final_merge() const;
  // The algorithm has rounds apart from the final merge.
  bool has_rounds() const;
  // Where everybody has mustered, the first rounds hold everybody: nobody can have more steps than this
  // when one who mustered with the others has made none.
  uint64_t farthest_ahead() const;
};

// INVALID_ARGUMENT: an unknown algorithm or optimizer, a bad option, or what does not go together: a
// centre and an algorithm without one, algorithm and optimizer, optimizer and model, fragments and model; or
// an option of the gates that makes no sense.
absl::StatusOr<PeerSetup> SetUpPeer(const PeerOptions& options, Model& model, const Dataset& train);

// FAILED_PRECONDITION: its exchanges cannot be kept within limits, for it makes none.
absl::Status NothingToLimit(const std::string& algorithm);

// The configuration with what the defaults of optimizer and algorithm make of it.
v1::RunConfig EffectiveConfig(const v1::RunConfig& config);

// What the peer says of itself when it starts.
v1::Member SelfMember(const PeerOptions& options);

// The trainer's options, apart from its callbacks. `train` is kept.
TrainingOptions TrainingOptionsFor(const PeerOptions& options, const PeerSetup& setup,
                                   std::shared_ptr<const Dataset> train);

}  // namespace starling

#endif  // STARLING_PEER_PEER_SETUP_H_
