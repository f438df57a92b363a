// The trainer's side of its algorithm's rounds: when one is due, whether the next step must wait for one,
// what is contributed and what is made of the mix.
//
// Boundaries are between steps; boundary s comes after s steps. A round of a kParameters spec is due at
// every boundary that is a multiple of its period. It begins there and must have ended before the trainer
// passes boundary s + delay, or before the next one of the same spec is due (background rounds: the next
// one is then left out). A kGradient round is due within a step, between gradient and optimizer.
//
// Pure but for the buffers it takes. Owned by TrainingActor.

#ifndef STARLING_PEER_TRAINING_ROUND_GATE_H_
#define STARLING_PEER_TRAINING_ROUND_GATE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "peer/rounds/outer_optimizer.h"
#include "peer/rounds/round_spec.h"
#include "peer/runtime/buffer_pool.h"
#include "peer/training/contribution.h"

namespace starling {

class RoundGate {
 public:
  // What a round may read or change, as it is now.
  struct Worker {
    absl::Span<float> parameters;
    absl::Span<float> momentum;
    double rate = 0;
    double mass = 1;
    double loss = 0;
  };

  // `pool` outlives the gate.
  RoundGate(const std::vector<RoundSpec>& specs, size_t elements, bool has_momentum,
            BufferPool* pool);

  // Before the first step: anchors of outer optimizers lie at these parameters. Rounds under way keep theirs.
  void Anchor(const Worker& worker);

  // Boundary `step` is reached: contributions of the rounds that begin here, appended to `begun`.
  // Returns false if the next step must wait; then ask again after each Finish.
  bool Pass(uint64_t step, const Worker& worker, std::vector<Contribution>* begun);

  // The gradient of step `step` (counted from 1) is to be averaged first: its contribution. nullopt: use
  // it as it is.
  absl::optional<Contribution> Gradient(uint64_t step, absl::Span<const float> gradient,
                                        double loss);

  // A round of parameters has ended. False, and nothing happens, if none of that spec is under way or the
  // length is wrong. `mass` is updated by push-sum rounds.
  bool Finish(const MixedRound& mixed, const Worker& worker, double* mass);

  // The parameters were replaced: what rounds under way bring is not for these. They still have to end.
  void Forget();
  // The contribution to the round that has just begun was not sent: there is no such round.
  void CallOff(size_t spec);

  // True if the spec is one of gradients.
  bool IsGradient(size_t spec) const {
    return lanes_[spec].spec.payload == RoundSpec::Payload::kGradient;
  }
  bool empty() const { return lanes_.empty(); }
  size_t size() const { return lanes_.size(); }
  // True if steps are to be divided by the mass, because they act on the push-sum numerator.
  bool divides_by_mass() const;

 private:
  struct Lane {
    RoundSpec spec;
    std::unique_ptr<OuterOptimizer> outer;  // null for gradients
    SharedBytes own;                        // contribution of the round under way; else empty
    size_t offset = 0;                      // its fragment
    size_t length = 0;
    uint64_t required_by = 0;
    // Number of the next round, as far as we know; decides on the fragment.
    uint64_t next_number = 0;
    bool counted = false;  // next_number is more than a guess from our steps
    uint64_t last_due = 0;
    bool pending = false;
    bool forgotten = false;  // the round under way changes nothing here
  };

  OuterOptimizer::State StateOf(const Lane& lane, const Worker& worker) const;
  void SetFragment(Lane& lane, uint64_t fragment) const;
  Contribution Begin(size_t index, uint64_t step, const Worker& worker);

  const size_t elements_;
  BufferPool* const pool_;
  std::vector<Lane> lanes_;
};

}  // namespace starling

#endif  // STARLING_PEER_TRAINING_ROUND_GATE_H_
