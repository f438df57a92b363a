#include "tests/sim/simulation.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "peer/runtime/check.h"
#include "tests/sim/answer_checker.h"
#include "tests/sim/checkers.h"
#include "tests/sim/declared.h"
#include "tests/sim/life_checkers.h"
#include "tests/sim/memory_checker.h"
#include "tests/sim/simulation_sums.h"

namespace starling {
namespace {

constexpr size_t kIdleBytes = size_t{1} << 20;
constexpr size_t kLogLines = 2000;
// Incarnations of a node are that far apart, so that old ones need not be repeated.
constexpr Incarnation kNextIncarnation = 16;
// A status has a row for each member, so a look at all of n peers costs n squared rows.
constexpr size_t kRowsInOneLook = 4096;

}  // namespace

absl::StatusOr<std::unique_ptr<Simulation>> Simulation::Create(const SimulationOptions& options) {
  const absl::Status status = options.Validate();
  if (!status.ok()) return status;
  std::unique_ptr<Simulation> simulation(new Simulation(options, *options.RunConfig()));
  const int nodes = static_cast<int>(simulation->config().min_peers());
  for (int node = 0; node < nodes; ++node) simulation->Join();
  return simulation;
}

Simulation::Simulation(const SimulationOptions& options, v1::RunConfig config)
    : options_(options),
      config_(std::move(config)),
      random_(Random(options.seed).Split("simulation")),
      pool_(kIdleBytes),
      network_(&world_, options.network, random_.Split("network")),
      workload_(MakeWorkload(options)),
      began_(world_.now()),
      disturbed_(began_),
      next_look_(began_) {
  if (options_.coordinator) {
    coordinator_ = std::make_unique<SimCoordinator>(&world_, &network_, options_.coordinator_options,
                                                    config_, random_.Split("coordinator"));
    if (options_.coordinator_from_start) coordinator_->Start();
  }
  environment_.world = &world_;
  environment_.network = &network_;
  environment_.coordinator = coordinator_.get();
  environment_.pool = &pool_;
  environment_.options = &options_;
  environment_.config = &config_;
  environment_.workload = &workload_;
  environment_.log = [this](const std::string& line) {
    log_.push_back(absl::StrFormat("%9.3f %s", absl::ToDoubleSeconds(elapsed()), line));
    if (log_.size() > kLogLines) log_.pop_front();
  };
  if (options_.check) MakeCheckers();
}

void Simulation::MakeCheckers() {
  auto conservation =
      std::make_unique<ConservationChecker>(config_, workload_.parameters, options_.learn);
  conservation_ = conservation.get();
  checkers_.push_back(std::move(conservation));
  checkers_.push_back(MakeQueueChecker());
  checkers_.push_back(MakeProgressChecker());
  checkers_.push_back(MakeMembershipChecker());
  checkers_.push_back(MakeConsensusChecker());
  checkers_.push_back(MakeFiniteChecker());
  checkers_.push_back(MakeCounterChecker());
  checkers_.push_back(MakeEndChecker());
  checkers_.push_back(MakeAgreementChecker());
  checkers_.push_back(MakeMassChecker());
  checkers_.push_back(MakeOffenceChecker());
  checkers_.push_back(MakeAnswerChecker());
  checkers_.push_back(MakeMemoryChecker());
}

Simulation::~Simulation() {
  for (Node& node : nodes_) node.process.reset();
  coordinator_.reset();
}

void Simulation::RunFor(absl::Duration duration) {
  RunUntil([] { return false; }, duration);
}

bool Simulation::RunUntil(absl::FunctionRef<bool()> condition, absl::Duration limit) {
  const absl::Time end = world_.now() + limit;
  while (!condition()) {
    if (world_.now() >= end) return false;
    absl::Time stop = std::min(end, next_look_);
    for (const TimedOnlooker& timed : timed_onlookers_) stop = std::min(stop, timed.next);
    while (world_.RunNext(stop)) {
      if (environment_.departures) ReapDeparted();
      for (StepOnlooker& each : step_onlookers_) {
        if (environment_.steps < each.next) continue;
        each.next += each.interval;
        each.onlooker(*this);
      }
    }
    for (TimedOnlooker& timed : timed_onlookers_) {
      if (world_.now() < timed.next) continue;
      timed.next += timed.interval;
      timed.onlooker(*this);
    }
    if (world_.now() >= next_look_) Look();
  }
  return true;
}

void Simulation::Every(absl::Duration interval, Onlooker onlooker) {
  STARLING_CHECK(interval > absl::ZeroDuration());
  timed_onlookers_.push_back({interval, world_.now() + interval, std::move(onlooker)});
}

void Simulation::EverySteps(uint64_t steps, Onlooker onlooker) {
  STARLING_CHECK(steps > 0);
  step_onlookers_.push_back({steps, environment_.steps + steps, std::move(onlooker)});
}

void Simulation::Look() {
  next_look_ += options_.look_every;
  if (checkers_.empty()) return;
  ChooseWatched();
  for (const auto& checker : checkers_) checker->Look(*this);
}

void Simulation::ChooseWatched() {
  const std::vector<const SimPeer*> all = living();
  if (all.size() * all.size() <= kRowsInOneLook) {
    watched_ = all;
    return;
  }
  watched_.clear();
  for (size_t i = 0; i < std::max<size_t>(1, kRowsInOneLook / all.size()); ++i) {
    watched_.push_back(all[next_watched_++ % all.size()]);
  }
}

void Simulation::ReapDeparted() {
  environment_.departures = false;
  for (size_t node = 0; node < nodes_.size(); ++node) {
    const SimPeer* process = nodes_[node].process.get();
    if (process == nullptr || (!process->left() && process->ended().ok())) continue;
    const bool superseded = absl::IsAlreadyExists(process->ended()) &&
                            highest_[process->spec().id] > process->spec().incarnation;
    nodes_[node].departed = process->left();
    nodes_[node].ended = superseded ? absl::OkStatus() : process->ended();
    superseded_ += superseded;
    EndProcess(static_cast<int>(node));
  }
}

// Those of the first two, and of the first other that trains: both may be gone, or back and strangers to
// the others.
std::vector<std::string> Simulation::SeedsFor(int number) const {
  std::vector<std::string> seeds;
  for (int seed = 0; seed < 2; ++seed) {
    if (seed != number && seed < static_cast<int>(nodes_.size())) {
      seeds.push_back(nodes_[seed].address);
    }
  }
  for (int other = 2; other < static_cast<int>(nodes_.size()); ++other) {
    const SimPeer* const process = nodes_[other].process.get();
    if (other == number || process == nullptr || !process->trained()) continue;
    seeds.push_back(nodes_[other].address);
    break;
  }
  return seeds;
}

void Simulation::StartProcess(int number, Memory memory) {
  Node& node = nodes_[number];
  STARLING_CHECK(node.process == nullptr && !node.cloned);
  SimPeerSpec spec;
  spec.node = number;
  spec.process = processes_++;
  spec.id = node.id;
  if (memory == Memory::kOldIncarnation && node.incarnation > kNextIncarnation) {
    spec.incarnation = node.incarnation - 1 - spec.process % (kNextIncarnation - 1);
  } else {
    spec.incarnation = node.incarnation += kNextIncarnation;
    highest_[node.id] = std::max(highest_[node.id], node.incarnation);
  }
  spec.address = node.address;
  spec.slot = static_cast<uint32_t>(number);
  spec.centre = number == options_.peers && DeclaredBy(config_).needs_centre;
  if (!options_.coordinator || options_.seeds_beside_coordinator) spec.seeds = SeedsFor(number);
  if (memory == Memory::kAll) {
    spec.seeds.insert(spec.seeds.end(), node.known.begin(), node.known.end());
  }
  if (options_.odd_clocks) {
    Random clock = random_.Split("clock").Split(spec.process);
    spec.clock.ahead = absl::Hours(24 * 365 * clock.Uniform());
    spec.clock.drift_ppm = static_cast<int64_t>(clock.UniformInt(2001)) - 1000;
  }
  spec.model_seed = options_.starts_equal() ? options_.seed : random_.Split("model").Split(spec.process).Next();
  spec.slowness = options_.SlownessOf(number);
  MixObserver* const observer =
      conservation_ == nullptr ? nullptr : conservation_->ObserverFor(spec.process);
  const Random steps = random_.Split("steps").Split(spec.process);
  if (coordinator_ != nullptr && !coordinator_->running() && !options_.seeds_beside_coordinator) {
    unintroduced_ = true;
  }
  node.departed = false;
  node.ended = absl::OkStatus();
  node.process = std::make_unique<SimPeer>(environment_, std::move(spec), steps, observer);
  Disturb();
}

void Simulation::EndProcess(int number) {
  Node& node = nodes_[number];
  if (conservation_ != nullptr) conservation_->OnEnd(*node.process);
  std::erase(watched_, node.process.get());
  const v1::Status& status = node.process->Status();
  node.known.clear();
  for (const v1::PeerStatus& row : status.peers()) {
    const bool living = row.state() == v1::PEER_STATE_ALIVE || row.state() == v1::PEER_STATE_JOINING;
    if (living && !row.self()) node.known.push_back(row.address());
  }
  AddTo(past_gossip_, status.gossip());
  past_traffic_ += node.process->traffic();
  node.process.reset();
  Disturb();
}

void Simulation::Crash(int node) { EndProcess(node); }
void Simulation::Restart(int node, Memory memory) { StartProcess(node, memory); }

void Simulation::RestartAsAnother(int node) {
  nodes_[node].id = PeerId(random_.Split("another id").Split(processes_).Next());
  nodes_[node].incarnation = 0;
  StartProcess(node);
}

int Simulation::Join() {
  const int number = static_cast<int>(nodes_.size());
  Node node;
  node.id = PeerId(random_.Split("id").Split(static_cast<uint64_t>(number)).Next());
  node.address = absl::StrCat("peer", number, ":7000");
  nodes_.push_back(std::move(node));
  StartProcess(number);
  return number;
}

int Simulation::Clone(int original) {
  STARLING_CHECK(!nodes_[original].cloned);
  const int number = static_cast<int>(nodes_.size());
  Node node;
  node.id = nodes_[original].id;
  node.incarnation = nodes_[original].incarnation;
  node.address = absl::StrCat("peer", number, ":7000");
  nodes_[original].cloned = true;
  nodes_.push_back(std::move(node));
  StartProcess(number);
  return number;
}

void Simulation::Leave(int node) {
  nodes_[node].process->Leave();
  Disturb();
}

void Simulation::Pause(int node) {
  nodes_[node].process->Pause();
  Disturb();
}

void Simulation::Resume(int node) {
  nodes_[node].process->Resume();
  Disturb();
}

void Simulation::LeapClock(int node, absl::Duration by) {
  nodes_[node].process->LeapClock(by);
  Disturb();
}

std::set<std::string> Simulation::Addresses(const std::set<int>& nodes) const {
  std::set<std::string> addresses;
  for (const int node : nodes) addresses.insert(nodes_[node].address);
  return addresses;
}

void Simulation::Partition(const std::set<int>& some, const std::set<int>& others) {
  network_.Partition(Addresses(some), Addresses(others));
  Disturb();
}

void Simulation::Cut(const std::set<int>& from, const std::set<int>& to) {
  network_.Cut(Addresses(from), Addresses(to));
  Disturb();
}

void Simulation::CutCoordinator(const std::set<int>& nodes) {
  network_.Partition(Addresses(nodes), {SimCoordinator::kAddress});
  Disturb();
}

void Simulation::Heal() {
  network_.Heal();
  Disturb();
}

void Simulation::SetLink(int from, int to, const SimLink& link) {
  network_.SetLink(nodes_[from].address, nodes_[to].address, link);
  Disturb();
}

void Simulation::ClearLinks() {
  network_.ClearLinks();
  Disturb();
}

void Simulation::SetBandwidth(int node, const SimBandwidth& bandwidth) {
  network_.SetBandwidth(nodes_[node].address, bandwidth);
}

void Simulation::SetNetwork(const SimNetworkOptions& options) {
  network_.SetOptions(options);
  Disturb();
}

void Simulation::StopCoordinator() {
  coordinator_->Stop();
  Disturb();
}

void Simulation::StartAnotherCoordinator() {
  coordinator_->StartAnother();
  Disturb();
}

void Simulation::StopFirstCoordinator() {
  coordinator_->StopFirst();
  Disturb();
}

void Simulation::StartCoordinator(bool with_lost_state) {
  coordinator_->Start(with_lost_state);
  unintroduced_ = false;
  Disturb();
}

void Simulation::PauseCoordinator() {
  coordinator_->Pause();
  Disturb();
}

void Simulation::ResumeCoordinator() {
  coordinator_->Resume();
  Disturb();
}

void Simulation::Poison(int node, float value) {
  for (float& parameter : nodes_[node].process->parameters()) parameter = value;
}

}  // namespace starling
