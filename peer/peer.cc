#include "peer/peer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/runtime/failpoint.h"

namespace starling {
namespace {

// Control traffic is bounded by the transport; this is for what Peer posts to itself.
constexpr size_t kMailbox = 1024;

// Where losses steer an algorithm they are looked at this often.
constexpr absl::Duration kRefreshView = absl::Milliseconds(100);

}  // namespace

absl::StatusOr<std::unique_ptr<Peer>> Peer::Create(PeerDeps deps, PeerOptions options) {
  auto setup = SetUpPeer(options, *deps.model, *deps.train);
  if (!setup.ok()) return setup.status();
  std::vector<LayerSpan> layers = deps.model->layers();
  return std::unique_ptr<Peer>(
      new Peer(std::move(deps), std::move(options), *std::move(setup), std::move(layers)));
}

Peer::Peer(PeerDeps deps, PeerOptions options, PeerSetup setup, std::vector<LayerSpan> layers)
    : Actor(deps.control, kMailbox),
      options_(std::move(options)),
      run_(setup.run),
      identity_(setup.identity),
      log_(deps.log),
      link_(std::make_shared<LinkBudget>(ExchangeBudget::WholeExchange(
          setup.algorithm, options_.gossip.codecs, identity_.shards))),
      // Everybody below sends through the meter.
      transport_(deps.control, std::exchange(deps.transport, &transport_), link_,
                 [this](const std::string& address) { return swarm_.PeerAt(address); }),
      total_steps_(setup.total_steps),
      part_size_(setup.part.size()),
      model_threads_(deps.model->threads()),
      random_(Random(options_.config.seed()).Split("peer").Split(options_.id.value())),
      follows_losses_(!setup.algorithm.tethers.empty()),
      has_rounds_(setup.has_rounds()),
      final_merge_(setup.final_merge()),
      makes_exchanges_(setup.algorithm.mix != nullptr),
      ahead_(setup.farthest_ahead()),
      progress_slot_(deps.control, WhileAlive([this](const TrainingProgress& progress) {
                       OnProgress(progress);
                     })),
      training_(deps.training, std::move(deps.model), std::move(setup.optimizer),
                BatchCursor(deps.train, std::move(setup.part), options_.config.batch_size(),
                            Random(options_.config.seed()).Split("batches").Split(options_.slot)),
                deps.pool, MakeTrainingOptions(deps, setup),
                [this](const TrainingProgress& progress) { progress_slot_.Put(progress); }),
      evaluator_(deps.evaluation, std::move(deps.evaluation_model), deps.test),
      evaluation_(deps.control, &training_, &evaluator_, options_.evaluate_every,
                  [this] { return Mixes(); },
                  [this](const absl::Status& status) { NoteError(status); }),
      checkpointer_(MakeCheckpointer(deps, setup, std::move(layers))),
      gossip_(deps.control, deps.transport, &training_, identity_, setup.algorithm,
              random_.Split("gossip"), options_.gossip, link_.get()),
      rounds_(RoundsDeps(deps), identity_, setup.algorithm.rounds, options_.config.seed(),
              options_.rounds),
      keeper_(deps.control, &training_, identity_, options_.keeper),
      averaging_(RoundOptions(), AveragingDeps(deps)),
      membership_(options_.membership, MembershipDeps(deps)),
      joiner_(deps.control, deps.transport, deps.pool, identity_, random_.Split("joiner"),
              HowToJoin(setup), log_),
      average_evaluation_(deps.control, deps.transport, deps.pool, &training_, &evaluator_,
                          identity_),
      router_(
          identity_,
          FrameRouter::Actors{&gossip_, &averaging_, &rounds_, &keeper_, &joiner_,
                              &average_evaluation_},
          [this](v1::ControlRequest request, ControlResponder respond) {
            OnControl(std::move(request), std::move(respond));
          },
          [this](const std::string& address, const absl::Status&) {
            membership_.OnPathBroken(address);
          },
          log_,
          {options_.offences, [this] { return Now(); },
           [this](PeerId peer, const Quarantine& quarantine) {
             membership_.OnQuarantine(peer, quarantine.length, quarantine.reason);
           }}) {
  gossip_.SetLateRefusal([this](const v1::ShardHeader& header, const FrameFault& fault,
                                ReplyPath* reply) { router_.Refuse(header, fault, reply); });
  gossip_.SetInTouch([this] { return membership_.InTouch(); });
  router_.SetInTouch([this] { return membership_.InTouch(); });
  link_->SetLimits(Now(), options_.limits);
}

// Where members make rounds together all are equal, and a copy must be one of them.
JoinerOptions Peer::HowToJoin(const PeerSetup& setup) const {
  JoinerOptions joiner = options_.joiner;
  const bool pairs = setup.algorithm.mix != nullptr && !setup.has_rounds();
  joiner.mode = pairs ? FetchMode::kPatchwork : FetchMode::kOneCopy;
  return joiner;
}

AveragingActor::Deps Peer::AveragingDeps(const PeerDeps& deps) {
  AveragingActor::Deps averaging;
  averaging.control = deps.control;
  averaging.transport = deps.transport;
  averaging.parameters = &training_;
  averaging.buffers = deps.pool;
  averaging.self = options_.id;
  averaging.shards = identity_.shards;
  averaging.address_of = [this](PeerId peer) { return AddressOf(peer); };
  averaging.fill_header = [this](v1::ShardHeader* header) {
    header->set_sender(identity_.peer.value());
    header->set_sender_incarnation(identity_.incarnation);
    header->set_run_id(identity_.run.value());
    header->set_model_fingerprint(identity_.model.value());
  };
  return averaging;
}

RoundsActor::Deps Peer::RoundsDeps(const PeerDeps& deps) {
  RoundsActor::Deps rounds;
  rounds.control = deps.control;
  rounds.transport = deps.transport;
  rounds.pool = deps.pool;
  rounds.finish = [this](MixedRound mixed) {
    const bool last = final_merge_ == mixed.spec;
    training_.FinishRound(std::move(mixed));
    if (last) Finish();
  };
  return rounds;
}

TrainingOptions Peer::MakeTrainingOptions(const PeerDeps& deps, const PeerSetup& setup) {
  TrainingOptions training = TrainingOptionsFor(options_, setup, deps.train);
  training.on_contribution = DeliverEach<Contribution>(
      [this](Contribution contribution) { rounds_.OnContribution(std::move(contribution)); });
  training.random = random_.Split("training");
  training.observer = deps.mix_observer;
  return training;
}

std::unique_ptr<Checkpointer> Peer::MakeCheckpointer(const PeerDeps& deps, const PeerSetup& setup,
                                                     std::vector<LayerSpan> layers) {
  if (deps.disk == nullptr || options_.checkpoint_directory.empty()) return nullptr;
  CheckpointStore::Options store;
  store.directory = options_.checkpoint_directory;
  store.run = setup.run;
  store.model = identity_.model;
  for (LayerSpan& layer : layers) {
    store.layout.push_back({std::move(layer.name), std::move(layer.shape)});
  }
  Checkpointer::Deps needs;
  needs.control = deps.control;
  needs.disk = deps.disk;
  needs.parameters = &training_;
  needs.pool = deps.pool;
  needs.wall_clock = deps.wall_clock;
  needs.log = log_;
  return std::make_unique<Checkpointer>(std::move(needs), CheckpointStore(std::move(store)),
                                        options_.checkpoint_every);
}

MembershipActor::Deps Peer::MembershipDeps(const PeerDeps& deps) {
  MembershipActor::Deps membership;
  membership.control = deps.control;
  membership.transport = deps.transport;
  membership.coordinator = deps.coordinator;
  membership.self = SelfMember(options_);
  membership.run = run_;
  membership.min_peers = options_.config.min_peers();
  membership.seeds = options_.seeds;
  membership.random = random_.Split("membership");
  membership.on_view = [this](std::shared_ptr<const MembershipView> view) {
    OnView(std::move(view));
  };
  membership.on_round = [this](const v1::RoundPlan& plan) {
    if (phase_ != v1::PHASE_TRAINING && phase_ != v1::PHASE_FINISHED) return;
    if (const absl::Status status = averaging_.OnPlan(plan); !status.ok()) NoteError(status);
  };
  membership.on_started = [this] {
    swarm_started_ = true;
    MaybeTrain();
  };
  membership.on_refused = [this](absl::Status status) { Fail(std::move(status)); };
  membership.log = log_;
  membership.averaging_time = [this] { return averaging_.averaging_time(); };
  return membership;
}

void Peer::SetPhase(v1::Phase phase) {
  if (phase == phase_) return;
  phase_ = phase;
  log_(absl::StrCat("phase ", v1::Phase_Name(phase)));
}

v1::ControlRequest Peer::ControlTemplate() const {
  v1::ControlRequest request;
  *request.mutable_sender() = SelfMember(options_);
  request.mutable_sender()->set_step(progress_.step);
  request.mutable_sender()->set_state(MemberState());
  request.set_run_id(run_.value());
  return request;
}

v1::PeerState Peer::MemberState() const {
  switch (phase_) {
    case v1::PHASE_TRAINING:
    case v1::PHASE_FINISHED:
      return v1::PEER_STATE_ALIVE;
    case v1::PHASE_LEAVING:
      return v1::PEER_STATE_LEFT;
    default:
      return v1::PEER_STATE_JOINING;
  }
}

std::string Peer::AddressOf(PeerId peer) const {
  const auto found = swarm_.training.find(peer);
  return found == swarm_.training.end() ? std::string() : found->second.address;
}

void Peer::OnView(std::shared_ptr<const MembershipView> view) {
  AssertHere();
  ShareView(*view);
  if (joiner_.running() && CheckpointIsFresh()) {
    joiner_.Stop();
    swarm_started_ = true;
    Resume("it is as fresh as the swarm");
    return;
  }
  joiner_.OnSwarm(swarm_.training, view->settled);
}

void Peer::ShareView(const MembershipView& view) {
  view_refreshed_ = Now();
  swarm_ = ReadView(view, options_.id, total_steps_);
  training_.SetWorkers(swarm_.still_training + 1, swarm_.rank);
  gossip_.SetCandidates(std::move(swarm_.contacts), std::move(swarm_.silent));
  rounds_.SetMembers(std::move(swarm_.members));
  if (phase_ == v1::PHASE_TRAINING && has_rounds_ && !stepping_) StartStepsIfMustered();
}

void Peer::RefreshView() {
  if (follows_losses_ && Now() - view_refreshed_ >= kRefreshView) ShareView(membership_.View());
}

uint64_t Peer::Mixes() const {
  const v1::GossipStatus gossip = gossip_.Status();
  return gossip.shards_answered() + gossip.shards_committed() +
         averaging_.Status().shards_applied() + rounds_.Status().shards_applied();
}

void Peer::OnControl(v1::ControlRequest request, ControlResponder respond) {
  AssertHere();
  v1::ControlResponse response;
  *response.mutable_sender() = std::move(*ControlTemplate().mutable_sender());
  response.set_run_id(run_.value());
  if (request.body_case() == v1::ControlRequest::kGetRun) {
    *response.mutable_run()->mutable_config() = options_.config;
    response.mutable_run()->mutable_config()->mutable_data()->clear_directory();
    response.mutable_run()->set_model_fingerprint(identity_.model.value());
    respond(std::move(response));
    return;
  }
  auto refuse = [&](v1::RefusalReason reason, std::string detail) {
    response.mutable_refused()->set_reason(reason);
    response.mutable_refused()->set_detail(std::move(detail));
    respond(std::move(response));
  };
  if (request.run_id() != run_.value()) {
    refuse(v1::REFUSAL_REASON_WRONG_RUN,
           absl::StrCat("this peer trains run ", run_.ToString(), " (model ",
                        options_.config.model().name(), ", algorithm ",
                        options_.config.algorithm().name(), "), not run ",
                        RunId(request.run_id()).ToString()));
    return;
  }
  switch (request.body_case()) {
    case v1::ControlRequest::kHoldState:
      if (phase_ != v1::PHASE_TRAINING && phase_ != v1::PHASE_FINISHED) {
        refuse(v1::REFUSAL_REASON_NOT_TRAINING, "this peer has no parameters of its own yet");
        return;
      }
      if (!membership_.InTouch()) {
        refuse(v1::REFUSAL_REASON_NOT_TRAINING,
               "this peer stood still: its parameters are of before");
        return;
      }
      keeper_.Hold(request.hold_state(), [response, respond = std::move(respond)](
                                             v1::ControlResponse held) mutable {
        *held.mutable_sender() = response.sender();
        held.set_run_id(response.run_id());
        respond(std::move(held));
        Failpoint("donor.state_offered");
      });
      return;
    case v1::ControlRequest::kReleaseState:
      keeper_.Release(request.release_state().state_id());
      response.mutable_released();
      respond(std::move(response));
      return;
    case v1::ControlRequest::kPingRequest:
      membership_.HandlePingRequest(request, std::move(response), std::move(respond));
      return;
    default:
      if (!membership_.HandleControl(request, &response)) {
        refuse(v1::REFUSAL_REASON_BAD_REQUEST, "not a request that this version understands");
        return;
      }
      respond(std::move(response));
  }
}

void Peer::NoteError(const absl::Status& status) {
  last_error_ = std::string(status.message());
  log_(absl::StrCat("error: ", last_error_));
}

void Peer::EvaluateAverage(
    absl::AnyInvocable<void(absl::StatusOr<v1::EvaluateAverageResponse>)> done) {
  AssertHere();
  if (phase_ != v1::PHASE_TRAINING && phase_ != v1::PHASE_FINISHED) {
    done(absl::UnavailableError(
        absl::StrCat("this peer has no parameters yet (", v1::Phase_Name(phase_), ")")));
    return;
  }
  average_evaluation_.Start(ControlTemplate(), swarm_.workers, std::move(done));
}

absl::StatusOr<v1::LinkLimits> Peer::SetLimits(const v1::LinkLimits& limits) {
  AssertHere();
  if (limits.ByteSizeLong() == 0) return link_->limits();
  if (absl::Status valid = ValidateLimits(limits); !valid.ok()) return valid;
  if (!makes_exchanges_) return NothingToLimit(options_.config.algorithm().name());
  link_->SetLimits(Now(), limits);
  log_(absl::StrCat("limits from now on: ", link_->DescribeAll()));
  return link_->limits();
}

Holdings Peer::GetHoldings() const {
  AssertHere();
  Holdings holdings;
  holdings.push_back({"tasks in the mailbox", mailbox_depth(), mailbox_capacity()});
  membership_.AddHoldings(&holdings);
  gossip_.AddHoldings(&holdings);
  rounds_.AddHoldings(&holdings);
  keeper_.AddHoldings(&holdings);
  return holdings;
}

v1::Status Peer::GetStatus() const {
  v1::Status status;
  status.set_role(v1::ROLE_PEER);
  status.set_peer_id(options_.id.ToString());
  status.set_run_id(run_.ToString());
  status.set_model_fingerprint(identity_.model.ToString());
  status.set_incarnation(options_.incarnation);
  status.set_version(options_.version);
  status.set_address(options_.address);
  status.set_phase(phase_);
  status.set_slot(options_.slot);
  status.set_uptime_seconds(absl::ToDoubleSeconds(Now() - started_at_));
  *status.mutable_config() = EffectiveConfig(options_.config);
  status.set_last_error(last_error_);
  *status.mutable_recovery() = recovery_;
  status.mutable_recovery()->set_rate_scale(progress_.rate_scale);

  v1::TrainingStatus& training = *status.mutable_training();
  training = evaluation_.last();
  training.set_step(progress_.step);
  training.set_total_steps(total_steps_);
  training.set_epochs(static_cast<double>(progress_.samples) / static_cast<double>(part_size_));
  training.set_samples(progress_.samples);
  training.set_samples_per_second(progress_.steps_per_second * options_.config.batch_size());
  training.set_steps_per_second(progress_.steps_per_second);
  training.set_loss(progress_.loss);
  training.set_mixing_time_share(progress_.mixing_share);
  training.set_waiting_time_share(progress_.waiting_share);
  training.set_threads(static_cast<uint32_t>(model_threads_));
  training.set_parameters(identity_.shards.elements);
  training.set_train_examples(part_size_);

  *status.mutable_gossip() = gossip_.Status();
  status.mutable_gossip()->set_bytes_sent(transport_.bytes_sent());
  status.mutable_gossip()->set_bytes_sent_as_fp32(status.gossip().bytes_sent_as_fp32() +
                                                  transport_.bytes_sent());
  status.mutable_gossip()->set_bytes_received(transport_.bytes_received());
  router_.FillStatus(*status.mutable_gossip());
  status.mutable_gossip()->set_mass(progress_.mass);
  status.set_centre(options_.centre);
  if (checkpointer_ != nullptr) *status.mutable_checkpoint() = checkpointer_->Status();
  *status.mutable_averaging() = averaging_.Status();
  *status.mutable_rounds() = rounds_.Status();
  for (v1::PeerStatus& peer : membership_.Peers()) {
    if (PeerId id; PeerId::Parse(peer.peer_id(), &id)) peer.set_offences(router_.OffencesOf(id));
    *status.add_peers() = std::move(peer);
  }
  *status.mutable_coordinator() = membership_.CoordinatorStatus();
  *status.mutable_detector() = membership_.DetectorStatus();
  for (const auto& values : {membership_.EffectiveValues(), gossip_.EffectiveValues(),
                             rounds_.EffectiveValues(), averaging_.EffectiveValues()}) {
    for (const v1::EffectiveValue& value : values) *status.add_effective() = value;
  }
  return status;
}

}  // namespace starling
