#include "tests/sim/sim_peer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/runtime/check.h"
#include "peer/runtime/run_config.h"

namespace starling {

SimPeer::SimPeer(SimPeerWorld& world, SimPeerSpec spec, Random random, MixObserver* observer)
    : world_(world),
      spec_(std::move(spec)),
      step_time_(world.options->step_time * spec_.slowness),
      step_jitter_(world.options->step_jitter),
      random_(random),
      control_(world.world->NewExecutor(absl::StrCat("control ", spec_.process))),
      training_(world.world->NewExecutor(absl::StrCat("training ", spec_.process))),
      evaluation_(world.world->NewExecutor(absl::StrCat("evaluation ", spec_.process))),
      last_progress_(world.world->now()) {
  if (world.options->odd_clocks) {
    for (SimExecutor* executor : {control_, training_, evaluation_}) {
      executor->SetClock(spec_.clock);
    }
  }
  const v1::RunConfig& config = *world.config;
  transport_ = world.network->TransportFor(
      spec_.address, control_, {spec_.id, spec_.incarnation, RunIdOf(config)});
  if (world.coordinator != nullptr) {
    coordinator_ = world.coordinator->ClientFor(spec_.address, control_);
  }
  const Workload& workload = *world.workload;
  std::unique_ptr<Model> model = workload.make_model(spec_.model_seed);
  model_ = model.get();

  PeerDeps deps;
  deps.control = control_;
  deps.training = training_;
  deps.evaluation = evaluation_;
  deps.transport = transport_.get();
  deps.coordinator = coordinator_.get();
  deps.pool = world.pool;
  deps.model = std::move(model);
  deps.evaluation_model = workload.make_evaluation_model(spec_.model_seed);
  deps.train = workload.train;
  deps.test = workload.test;
  deps.log = [log = world.log, name = absl::StrCat("peer ", spec_.node)](const std::string& line) {
    log(absl::StrCat(name, ": ", line));
  };
  deps.mix_observer = observer;

  PeerOptions options;
  options.config = config;
  options.id = spec_.id;
  options.incarnation = spec_.incarnation;
  options.address = spec_.address;
  options.version = "simulated";
  options.seeds = spec_.seeds;
  options.slot = spec_.slot;
  options.membership = world.options->membership;
  options.centre = spec_.centre;
  options.gossip = world.options->gossip;
  options.rounds = world.options->rounds;
  options.evaluate_every = world.options->evaluate_every;
  options.step_time = [this] { return NextStepTime(); };
  options.learn = world.options->learn;
  if (world.options->adjust_peer != nullptr) world.options->adjust_peer(spec_.node, options);
  auto peer = Peer::Create(std::move(deps), std::move(options));
  // The configuration was validated when the simulation was made.
  STARLING_CHECK(peer.ok());
  peer_ = *std::move(peer);
  control_->Post([this] {
    peer_->Start([this](absl::Status status) {
      ended_ = std::move(status);
      world_.departures = true;
    });
  });
}

SimPeer::~SimPeer() {
  for (SimExecutor* executor : {control_, training_, evaluation_}) executor->Kill();
}

void SimPeer::Leave() {
  leaving_ = true;
  control_->Post([this] {
    peer_->Leave("simulated", [this] {
      left_ = true;
      world_.departures = true;
    });
  });
}

void SimPeer::Pause() {
  for (SimExecutor* executor : {control_, training_, evaluation_}) executor->Pause();
}

void SimPeer::Resume() {
  last_progress_ = world_.world->now();
  for (SimExecutor* executor : {control_, training_, evaluation_}) executor->Resume();
}

void SimPeer::LeapClock(absl::Duration by) {
  for (SimExecutor* executor : {control_, training_, evaluation_}) executor->LeapClock(by);
}

const v1::Status& SimPeer::Status() const {
  if (status_at_ != world_.world->events_run()) {
    control_->Visit([&] { status_ = peer_->GetStatus(); });
    status_at_ = world_.world->events_run();
  }
  return status_;
}

Holdings SimPeer::GetHoldings() const {
  Holdings holdings;
  control_->Visit([&] { holdings = peer_->GetHoldings(); });
  // To each member one that looks for it, one by each helper, one with news and one with the table; those
  // on behalf of others, of which there are 64 at most; and a few of newcomers.
  const size_t members = world_.options->membership.max_members;
  const auto helpers = static_cast<size_t>(world_.options->membership.helpers);
  holdings.push_back({"calls under way", transport_->calls_underway(),
                      std::min(members, world_.network->addresses()) * (3 + helpers) + 128});
  return holdings;
}

absl::Duration SimPeer::NextStepTime() {
  ++steps_;
  ++world_.steps;
  last_progress_ = world_.world->now();
  const absl::Duration duration =
      step_time_ * (1 + step_jitter_ * (2 * random_.Uniform() - 1));
  training_->BusyFor(duration);
  return duration;
}

}  // namespace starling
