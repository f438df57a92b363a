// Owns the parameters and trains: the only writer of the parameter vector, of the optimizer's state
// and of the data cursor.
//
// It runs one local step after another. What others want of the
// parameters (snapshots, mixes, displacements) is posted to it and done between two steps, in the
// order of arrival; so a request sees the parameters at a step boundary and no lock guards them.
// Only an algorithm that is synchronous by definition makes it wait, for a round (RoundGate), and each
// round ends by its deadline.
//
// Numbers that are not finite never leave it. Once a loss, a contribution or the parameters are found not to
// be, it stops stepping, reports DATA_LOSS and takes no requests; those that it has already wait until Replace has
// put other parameters in their place.
//
// Executor: the training executor, a thread of its own. Start, Stop, Replace and the ParameterOwner
// methods, FinishRound and SetWorkers may be called from any thread; callbacks run on the training
// executor.

#ifndef STARLING_PEER_TRAINING_TRAINING_ACTOR_H_
#define STARLING_PEER_TRAINING_TRAINING_ACTOR_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "model/batch_cursor.h"
#include "model/curvature_probe.h"
#include "model/model.h"
#include "model/optimizer.h"
#include "peer/codec/codec.h"
#include "peer/codec/coded_bytes.h"
#include "peer/gossip/data_gate.h"
#include "peer/gossip/elastic_controller.h"
#include "peer/rounds/round_spec.h"
#include "peer/runtime/actor.h"
#include "peer/runtime/buffer_pool.h"
#include "peer/runtime/random.h"
#include "peer/training/contribution.h"
#include "peer/training/parameter_owner.h"
#include "peer/training/round_gate.h"
#include "peer/training/tethers.h"

namespace starling {

// How the training stands, after a step.
struct TrainingProgress {
  uint64_t step = 0;
  uint64_t samples = 0;
  double loss = 0;              // running mean, decay 0.98 a step
  double steps_per_second = 0;  // over about the last second
  double mixing_share = 0;      // of the time since Start: snapshots, mixes, displacements
  double waiting_share = 0;     // of the time since Start: a step was due and waited for a round
  double mass = 1;              // push-sum weight, mean over the shards
  bool finished = false;        // total_steps reached, and no round is to begin any more
  double rate_scale = 1;        // what the parameters' replacements have left of the learning rate
  // INTERNAL: the model failed. DATA_LOSS: the loss or the parameters are not finite; Replace mends that.
  absl::Status error;
};

// Sees every half of every exchange as it is applied; for invariant checkers in the simulator.
class MixObserver {
 public:
  virtual ~MixObserver() = default;
  // `reply`, of so many numbers, was computed here and, if the rule conserves the sum, what it decodes
  // to was subtracted here.
  virtual void OnResponded(size_t offset, size_t elements, const CodedBytes& reply) = 0;
  virtual void OnCommitted(size_t offset, size_t elements, const CodedBytes& reply) = 0;
};

struct TrainingOptions {
  // Steps to make; 0 trains until stopped.
  uint64_t total_steps = 0;
  // See v1.OptimizerConfig.decay_share.
  double decay_share = 0;
  // Shortest time from the start of one step to the start of the next, asked after each step; null
  // means none. Up: a slower, more polite worker. In the simulator this is the step's duration.
  std::function<absl::Duration()> step_time;
  // False makes steps that change nothing: exchanges alone move the parameters (tests of mixing).
  bool learn = true;
  // Requests waiting for a step boundary. Full: the request is refused and the asker gives up or
  // repeats. Default 512: a few exchanges of a few hundred shards.
  size_t mailbox_capacity = 512;
  // The algorithm's parts that a step meets.
  std::vector<RoundSpec> rounds;
  std::vector<double> tethers;
  ElasticOptions elastic;
  // Workers that learning rate and batch size were chosen for.
  size_t reference_workers = 1;
  // Parameters in one shard, each of which has its own push-sum weight; 0: all in one.
  size_t shard_elements = 0;
  // What of others is refused. Valid.
  DataGateOptions data_gate;
  // After parameters that were not finite have been replaced: an optimizer that remembers nothing (null: the
  // old one goes on), and the factor of its learning rate, above 0. Up: steps stay as long as they were; down:
  // the same does not happen so soon again.
  std::function<std::unique_ptr<Optimizer>()> new_optimizer;
  double rollback_rate = 1;
  // The examples of pass k over the own part; null: the same for ever. Called on the training executor.
  std::function<std::vector<uint32_t>(uint64_t pass)> part_of_pass;
  // A round begins; called on the training executor. FinishRound answers it, in any case. Must be set if
  // there are rounds.
  std::function<void(Contribution)> on_contribution;
  // Seed of curvature probes and of random rounding.
  Random random{0};
  // Not owned; null in production.
  MixObserver* observer = nullptr;
};

class TrainingActor : public Actor, public ParameterOwner {
 public:
  // `pool` outlives the actor. `on_progress` runs after every step and must be quick.
  TrainingActor(Executor* executor, std::unique_ptr<Model> model,
                std::unique_ptr<Optimizer> optimizer, BatchCursor cursor, BufferPool* pool,
                TrainingOptions options, std::function<void(const TrainingProgress&)> on_progress);
  ~TrainingActor() override = default;

  // Begins or resumes stepping.
  void Start();
  // No step begins after Stop was run; requests are still served.
  void Stop();

  // Overwrites all parameters and the counters: a newcomer takes over a donor's state, or a peer goes back to
  // a better one. Must come before Start, or after DATA_LOSS was reported; then Start again. `values` has the
  // model's length.
  void Replace(Snapshot state, absl::AnyInvocable<void()> done);

  // The round of `mixed.spec` that was begun last has ended.
  void FinishRound(MixedRound mixed);
  // There are so many workers now, >= 1, of which we are number `rank`.
  void SetWorkers(size_t workers, size_t rank);

  size_t size() const override { return size_; }
  bool TakeShard(size_t offset, size_t elements,
                 absl::AnyInvocable<void(Snapshot)> done) override;
  bool TakeSnapshot(std::shared_ptr<const Codec> codec,
                    absl::AnyInvocable<void(Snapshot)> done) override;
  bool StreamSnapshot(std::shared_ptr<const Codec> codec, size_t piece,
                      absl::AnyInvocable<void(SnapshotPart)> part) override;
  bool GiveSnapshot(std::shared_ptr<const Codec> codec,
                    absl::AnyInvocable<void(Snapshot)> done) override;
  void ReturnMass(size_t offset, double mass) override;
  bool RespondToMix(std::shared_ptr<const MixRule> rule, size_t offset, size_t elements,
                    CodedBytes incoming, MixTerms terms, std::shared_ptr<const Codec> codec,
                    absl::AnyInvocable<void(MixAnswer)> done) override;
  bool CommitMix(std::shared_ptr<const MixRule> rule, size_t offset, size_t elements,
                 CodedBytes snapshot, CodedBytes reply, MixTerms terms, uint32_t tether,
                 absl::AnyInvocable<void(absl::StatusOr<double>)> done) override;
  void DropAnchors() override;
  bool ApplyDisplacement(size_t offset, SharedBytes average, SharedBytes snapshot,
                         absl::AnyInvocable<void()> done) override;

 private:
  // A step is made of ComputeStep, perhaps a round of gradients, and CompleteStep.
  void ComputeStep();
  void CompleteStep(absl::Span<const float> gradient);
  absl::StatusOr<double> ComputeGradients(const Batch& batch);
  // Goes on with the next step, unless a round must end first.
  void PassBoundary();
  void ScheduleStep(absl::Time earliest);
  void Hold();
  void EndHold();
  void FailTraining(absl::Status error);
  void Sicken(std::string what);
  // The parameters are finite; else sickens.
  bool CheckParameters();
  // They were found not to be.
  void SickenParameters();
  void Mend();
  // Sends it, unless it is not finite.
  bool Contribute(Contribution contribution);
  void TurnPass();
  void UpdateRate();
  RoundGate::Worker WorkerState();
  // nullopt: they are not finite, and it has sickened.
  absl::optional<Snapshot> CopyParameters(const Codec& codec);
  // A snapshot with nothing in it yet, and where its bytes are to be written.
  Snapshot NewSnapshot(const Codec& codec, char** out);
  // Writes parameters [from, to) of it. False: they are not finite, and it has sickened.
  bool CopyRange(const Codec& codec, size_t from, size_t to, char* out);
  MutableBuffer TakeBytes(size_t bytes);
  CodecState* StateOf(const std::shared_ptr<const Codec>& codec, size_t elements);
  double& MassOf(size_t offset);
  void SetAnchor(uint32_t tether, size_t offset, size_t elements, const CodedBytes& values);
  void Report();
  absl::Span<float> Shard(size_t offset, size_t elements);
  // `work` returns false, having done nothing, if it found the parameters not finite; then it is run again
  // after they were replaced.
  template <typename Work>
  bool PostMixing(Work work);

  // Constant after construction.
  const std::unique_ptr<Model> model_;
  std::unique_ptr<Optimizer> optimizer_;
  BufferPool* const pool_;
  const TrainingOptions options_;
  const std::function<void(const TrainingProgress&)> on_progress_;
  const size_t size_;

  // Written on the training executor, read by whoever asks for something.
  std::atomic<bool> sick_{false};

  // On the training executor only.
  std::vector<absl::AnyInvocable<bool()>> parked_;  // at most mailbox_capacity
  BatchCursor cursor_;
  TrainingProgress progress_;
  RoundGate gate_;
  Tethers tethers_;
  ElasticController elastic_;
  absl::optional<CurvatureProbe> probe_;
  std::vector<float> hessian_probe_;
  DataGate data_gate_;
  std::vector<double> masses_;  // push-sum weight of each shard
  // Of the replies: numbers to round by, and what a codec remembers of its budget.
  Random reply_random_;
  std::shared_ptr<const Codec> state_codec_;
  std::unique_ptr<CodecState> reply_state_;
  const size_t batch_size_;     // as configured
  bool running_ = false;
  bool anchored_ = false;
  bool step_scheduled_ = false;
  bool at_boundary_ = false;          // PassBoundary said no
  bool made_all_ = false;             // total_steps reached
  bool gradient_under_way_ = false;   // between ComputeStep and CompleteStep
  size_t step_examples_ = 0;
  absl::Time step_began_;
  absl::Time hold_began_ = absl::InfiniteFuture();
  absl::Duration waiting_time_;
  uint64_t pass_ = 0;
  uint64_t pass_examples_ = 0;
  absl::Time started_ = absl::InfinitePast();
  absl::Duration mixing_time_;
  // Rate window.
  absl::Time window_start_ = absl::InfinitePast();
  uint64_t window_step_ = 0;
  bool has_loss_ = false;
};

}  // namespace starling

#endif  // STARLING_PEER_TRAINING_TRAINING_ACTOR_H_
