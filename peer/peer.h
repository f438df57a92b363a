// The composition root of the daemon: wires the actors to each other and to the seams of the world,
// and holds the one place where the order of starting and stopping is written down.
//
//              ┌────────────── control executor ───────────────┐   training executor
//   Transport ─┤ FrameRouter ─▶ GossipActor ───────────────────┼──▶ TrainingActor (parameters)
//              │            └─▶ AveragingActor ────────────────┼──▶      │ progress, end of training
//              │            └─▶ StateKeeper, Joiner ───────────┼──▶      │
//   Coordinator┤ MembershipActor ─▶ candidates, rounds         │◀────────┘
//              └───────────────────────────────────────────────┘   evaluation executor
//                                                               ──▶ EvaluationActor (copies)
//
// peerd fills PeerDeps with Asio, gRPC and LibTorch; the simulator with a virtual clock, a seeded
// network and a quadratic model. The phases of its life:
//
//   STARTING ─▶ SYNCING (a donor's parameters) ─▶ WAITING (for min_peers) ─▶ TRAINING ─▶ FINISHED
//       └─ nobody trains yet: parameters from the seed ──▶ ┘         any ─▶ LEAVING
//
// A peer whose own parameters are not finite any more goes back to SYNCING: its checkpoint, if that is fresh
// or nobody else trains, else a donor's parameters.
//
// Executor: control for everything public except the constructor and destructor. Its owner takes it
// off the transport (SetDelegate(nullptr)) and destroys it after its executors have stopped (or, on
// a single-threaded executor, between two events).

#ifndef STARLING_PEER_PEER_H_
#define STARLING_PEER_PEER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "model/dataset.h"
#include "model/model.h"
#include "peer/averaging/averaging_actor.h"
#include "peer/checkpoint/checkpointer.h"
#include "peer/frame_router.h"
#include "peer/gossip/gossip_actor.h"
#include "peer/membership/coordinator_client.h"
#include "peer/membership/membership_actor.h"
#include "peer/peer_options.h"
#include "peer/peer_setup.h"
#include "peer/rounds/rounds_actor.h"
#include "peer/runtime/actor.h"
#include "peer/runtime/buffer_pool.h"
#include "peer/runtime/holding.h"
#include "peer/runtime/latest.h"
#include "peer/state/average_evaluation.h"
#include "peer/state/joiner.h"
#include "peer/state/self_evaluation.h"
#include "peer/state/state_keeper.h"
#include "peer/swarm_view.h"
#include "peer/training/evaluation_actor.h"
#include "peer/training/training_actor.h"
#include "peer/transport/link_budget.h"
#include "peer/transport/metered_transport.h"
#include "peer/transport/transport.h"
#include "proto/status.pb.h"

namespace starling {

// The seams. Pointers are not owned and outlive the peer.
struct PeerDeps {
  Executor* control = nullptr;
  Executor* training = nullptr;
  Executor* evaluation = nullptr;
  // For checkpoints; null: none are kept.
  Executor* disk = nullptr;
  Transport* transport = nullptr;
  CoordinatorClient* coordinator = nullptr;  // null: none
  BufferPool* pool = nullptr;
  std::unique_ptr<Model> model;
  std::unique_ptr<Model> evaluation_model;
  std::shared_ptr<const Dataset> train;
  std::shared_ptr<const Dataset> test;
  // For people: times in checkpoints. Null without `disk`.
  std::function<absl::Time()> wall_clock;
  // One line for each change in the peer's life.
  std::function<void(const std::string&)> log;
  // Null in production.
  MixObserver* mix_observer = nullptr;
};

class Peer : public Actor {
 public:
  // INVALID_ARGUMENT: as SetUpPeer says.
  static absl::StatusOr<std::unique_ptr<Peer>> Create(PeerDeps deps, PeerOptions options);

  // Joins the swarm and trains. `ended` is called once if the peer ends by itself: with an error
  // that ends it (INTERNAL: diverged; ALREADY_EXISTS: superseded; FAILED_PRECONDITION: refused by the
  // swarm).
  void Start(absl::AnyInvocable<void(absl::Status)> ended);

  // Ends exchanges (finishes or cancels them), tells everyone, calls `done`. Training has stopped by
  // then. May be called in any phase; a second call is ignored.
  void Leave(std::string reason, absl::AnyInvocable<void()> done);

  // Changes the limits that are set, and returns all as they are then. INVALID_ARGUMENT: out of range;
  // FAILED_PRECONDITION: the algorithm makes no exchanges, which alone can be limited. Then nothing changes.
  absl::StatusOr<v1::LinkLimits> SetLimits(const v1::LinkLimits& limits);

  v1::Status GetStatus() const;
  v1::Phase phase() const { return phase_; }
  // Whatever others can make this peer keep, with its bound.
  Holdings GetHoldings() const;
  // See StatusService.EvaluateAverage for the codes.
  void EvaluateAverage(
      absl::AnyInvocable<void(absl::StatusOr<v1::EvaluateAverageResponse>)> done);

 private:
  Peer(PeerDeps deps, PeerOptions options, PeerSetup setup, std::vector<LayerSpan> layers);

  JoinerOptions HowToJoin(const PeerSetup& setup) const;
  AveragingActor::Deps AveragingDeps(const PeerDeps& deps);
  RoundsActor::Deps RoundsDeps(const PeerDeps& deps);
  TrainingOptions MakeTrainingOptions(const PeerDeps& deps, const PeerSetup& setup);
  MembershipActor::Deps MembershipDeps(const PeerDeps& deps);

  void SetPhase(v1::Phase phase);
  v1::PeerState MemberState() const;
  v1::ControlRequest ControlTemplate() const;
  std::string AddressOf(PeerId peer) const;

  std::unique_ptr<Checkpointer> MakeCheckpointer(const PeerDeps& deps, const PeerSetup& setup,
                                                 std::vector<LayerSpan> layers);

  // The life of a peer, in peer_life.cc.
  // The own checkpoint's, or the swarm's.
  void LookForParameters();
  void Synchronise();
  // The own checkpoint is as good as a copy of anybody's.
  bool CheckpointIsFresh() const;
  // Goes on from the own checkpoint.
  void Resume(absl::string_view why);
  void TakeOver(Snapshot snapshot);
  void OnView(std::shared_ptr<const MembershipView> view);
  // Tells everybody who chooses peers who is there.
  void ShareView(const MembershipView& view);
  // Losses and steps change without a new view.
  void RefreshView();
  // All steps are made, and the final merge, if there is one, has ended.
  void Finish();
  void OnSynced(absl::StatusOr<absl::optional<Snapshot>> state);
  void MaybeTrain();
  // At the start of a run of rounds.
  void StartStepsIfMustered();
  // Forgets the parameters of the seed and asks the swarm for its own.
  void CatchUp();
  void StartSteps();
  // The parameters are not finite any more.
  void RollBack(std::string what);
  // Is no partner to anybody for a while.
  void StepAside();
  void OnProgress(const TrainingProgress& progress);
  // Shards that exchanges and averages have changed so far.
  uint64_t Mixes() const;
  void OnControl(v1::ControlRequest request, ControlResponder respond);
  void Fail(absl::Status status);
  void NoteError(const absl::Status& status);

  // Constant after construction.
  const PeerOptions options_;
  const RunId run_;
  const FrameIdentity identity_;
  const std::function<void(const std::string&)> log_;
  const std::shared_ptr<LinkBudget> link_;
  MeteredTransport transport_;
  const uint64_t total_steps_;
  const size_t part_size_;
  const int model_threads_;
  const Random random_;
  const bool follows_losses_;
  const bool has_rounds_;
  // Index among the algorithm's rounds of the final merge; nullopt: none.
  const absl::optional<size_t> final_merge_;
  const bool makes_exchanges_;
  const uint64_t ahead_;  // others with more steps than this did not wait for us

  // On the control executor only.
  v1::Phase phase_ = v1::PHASE_STARTING;
  absl::Time started_at_ = absl::InfinitePast();
  bool swarm_started_ = false;
  bool synced_ = false;     // the parameters are those to begin with
  bool from_seed_ = false;  // and they are nobody's
  bool leaving_ = false;
  bool rolling_back_ = false;
  v1::RecoveryStatus recovery_;
  absl::optional<Checkpoint> checkpoint_;  // the newest of our own, until the parameters are decided on
  uint64_t joined_step_ = 0;
  SwarmView swarm_;
  absl::Time view_refreshed_ = absl::InfinitePast();
  TrainingProgress progress_;
  bool stepping_ = false;  // the trainer was started
  std::string last_error_;
  absl::AnyInvocable<void(absl::Status)> ended_;

  // In the order of construction; each may use those above it.
  Latest<TrainingProgress> progress_slot_;
  TrainingActor training_;
  EvaluationActor evaluator_;
  SelfEvaluation evaluation_;
  const std::unique_ptr<Checkpointer> checkpointer_;  // null: no checkpoints
  GossipActor gossip_;
  RoundsActor rounds_;
  StateKeeper keeper_;
  AveragingActor averaging_;
  MembershipActor membership_;
  Joiner joiner_;
  AverageEvaluation average_evaluation_;
  FrameRouter router_;
};

}  // namespace starling

#endif  // STARLING_PEER_PEER_H_
