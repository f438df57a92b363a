#include "tests/sim/simulation.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "model/quadratic_model.h"
#include "model/synthetic_dataset.h"
#include "peer/runtime/check.h"
#include "tests/sim/checkers.h"

namespace starling {
namespace {

constexpr size_t kIdleBytes = size_t{1} << 20;
constexpr size_t kLogLines = 2000;

std::shared_ptr<const Dataset> MakeData(const SimulationOptions& options, uint32_t examples,
                                        uint64_t stream) {
  SyntheticOptions data;
  data.examples = examples;
  data.shape = {static_cast<int64_t>(options.dimension)};
  data.seed = options.seed;
  data.stream = stream;
  return std::make_shared<SyntheticDataset>(data);
}

void Add(const v1::GossipStatus& more, v1::GossipStatus& total) {
  total.set_exchanges_started(total.exchanges_started() + more.exchanges_started());
  total.set_exchanges_committed(total.exchanges_committed() + more.exchanges_committed());
  total.set_exchanges_partial(total.exchanges_partial() + more.exchanges_partial());
  total.set_exchanges_failed(total.exchanges_failed() + more.exchanges_failed());
  total.set_exchanges_answered(total.exchanges_answered() + more.exchanges_answered());
  total.set_shards_committed(total.shards_committed() + more.shards_committed());
  total.set_shards_answered(total.shards_answered() + more.shards_answered());
  total.set_bytes_sent(total.bytes_sent() + more.bytes_sent());
  total.set_bytes_received(total.bytes_received() + more.bytes_received());
  total.set_orphaned_delta_norm(total.orphaned_delta_norm() + more.orphaned_delta_norm());
  total.set_orphaned_deltas(total.orphaned_deltas() + more.orphaned_deltas());
  for (const v1::RefusalCount& count : more.refused()) {
    v1::RefusalCount* entry = nullptr;
    for (v1::RefusalCount& known : *total.mutable_refused()) {
      if (known.reason() == count.reason()) entry = &known;
    }
    if (entry == nullptr) entry = total.add_refused();
    entry->set_reason(count.reason());
    entry->set_count(entry->count() + count.count());
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Simulation>> Simulation::Create(const SimulationOptions& options) {
  const absl::Status status = options.Validate();
  if (!status.ok()) return status;
  std::unique_ptr<Simulation> simulation(new Simulation(options, *options.RunConfig()));
  for (int node = 0; node < options.peers; ++node) simulation->Join();
  return simulation;
}

Simulation::Simulation(const SimulationOptions& options, v1::RunConfig config)
    : options_(options),
      config_(std::move(config)),
      random_(Random(options.seed).Split("simulation")),
      pool_(kIdleBytes),
      network_(&world_, options.network, random_.Split("network")),
      began_(world_.now()),
      disturbed_(began_),
      next_look_(began_) {
  if (options_.coordinator) {
    coordinator_ = std::make_unique<SimCoordinator>(&world_, &network_, options_.coordinator_options,
                                                    config_, random_.Split("coordinator"));
    coordinator_->Start();
  }
  environment_.world = &world_;
  environment_.network = &network_;
  environment_.coordinator = coordinator_.get();
  environment_.pool = &pool_;
  environment_.options = &options_;
  environment_.config = &config_;
  environment_.train = MakeData(options_, options_.examples, 0);
  environment_.test = MakeData(options_, 100, 1);
  environment_.log = [this](const std::string& line) {
    log_.push_back(absl::StrFormat("%9.3f %s", absl::ToDoubleSeconds(elapsed()), line));
    if (log_.size() > kLogLines) log_.pop_front();
  };
  optimum_ = QuadraticModel::Optimum(*environment_.train, options_.dimension);
  auto conservation = std::make_unique<ConservationChecker>(config_, options_.learn);
  conservation_ = conservation.get();
  checkers_.push_back(std::move(conservation));
  checkers_.push_back(MakeQueueChecker());
  checkers_.push_back(MakeProgressChecker());
  checkers_.push_back(MakeMembershipChecker());
  checkers_.push_back(MakeConsensusChecker());
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
    const absl::Time stop = std::min(end, next_look_);
    while (world_.RunNext(stop)) ReapDeparted();
    if (world_.now() < next_look_) continue;
    next_look_ += options_.look_every;
    for (const auto& checker : checkers_) checker->Look(*this);
  }
  return true;
}

void Simulation::ReapDeparted() {
  for (size_t node = 0; node < nodes_.size(); ++node) {
    const SimPeer* process = nodes_[node].process.get();
    if (process == nullptr || (!process->left() && process->ended().ok())) continue;
    nodes_[node].departed = process->left();
    nodes_[node].ended = process->ended();
    EndProcess(static_cast<int>(node));
  }
}

void Simulation::StartProcess(int number) {
  Node& node = nodes_[number];
  STARLING_CHECK(node.process == nullptr);
  SimPeerSpec spec;
  spec.node = number;
  spec.process = processes_++;
  spec.id = node.id;
  spec.incarnation = ++node.incarnation;
  spec.address = node.address;
  spec.slot = static_cast<uint32_t>(number);
  if (!options_.coordinator) {
    for (int seed = 0; seed < 2; ++seed) {
      if (seed != number && seed < static_cast<int>(nodes_.size())) {
        spec.seeds.push_back(nodes_[seed].address);
      }
    }
  }
  spec.model_seed = options_.learn ? options_.seed : random_.Split("model").Split(spec.process).Next();
  spec.slowness = number < options_.stragglers ? options_.straggler_factor : 1;
  MixObserver* const observer = conservation_->ObserverFor(spec.process);
  const Random steps = random_.Split("steps").Split(spec.process);
  if (coordinator_ != nullptr && !coordinator_->running()) unintroduced_ = true;
  node.departed = false;
  node.ended = absl::OkStatus();
  node.process = std::make_unique<SimPeer>(environment_, std::move(spec), steps, observer);
  Disturb();
}

void Simulation::EndProcess(int number) {
  Node& node = nodes_[number];
  conservation_->OnEnd(*node.process);
  Add(node.process->Status().gossip(), past_gossip_);
  node.process.reset();
  Disturb();
}

void Simulation::Crash(int node) { EndProcess(node); }
void Simulation::Restart(int node) { StartProcess(node); }

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

void Simulation::SetNetwork(const SimNetworkOptions& options) {
  network_.SetOptions(options);
  Disturb();
}

void Simulation::StopCoordinator() {
  coordinator_->Stop();
  Disturb();
}

void Simulation::StartCoordinator() {
  coordinator_->Start();
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

absl::optional<absl::Time> Simulation::calm_since() const {
  if (!network_.options().clean() || !network_.healed()) return absl::nullopt;
  if (unintroduced_) return absl::nullopt;
  if (coordinator_ != nullptr && coordinator_->paused()) return absl::nullopt;
  for (const SimPeer* peer : living()) {
    if (peer->paused() || peer->leaving()) return absl::nullopt;
  }
  return disturbed_;
}

const SimPeer& Simulation::peer(int node) const {
  STARLING_CHECK(nodes_[node].process != nullptr);
  return *nodes_[node].process;
}

std::vector<const SimPeer*> Simulation::living() const {
  std::vector<const SimPeer*> peers;
  for (const Node& node : nodes_) {
    if (node.process != nullptr) peers.push_back(node.process.get());
  }
  return peers;
}

std::vector<const SimPeer*> Simulation::Trained() const {
  std::vector<const SimPeer*> peers = living();
  std::erase_if(peers, [](const SimPeer* peer) { return !peer->trained(); });
  return peers;
}

std::vector<double> Simulation::Mean() const {
  const std::vector<const SimPeer*> peers = Trained();
  std::vector<double> mean(options_.dimension);
  for (const SimPeer* peer : peers) {
    for (size_t i = 0; i < mean.size(); ++i) {
      mean[i] += peer->parameters()[i] / static_cast<double>(peers.size());
    }
  }
  return mean;
}

double Simulation::ConsensusDistance() const {
  const std::vector<const SimPeer*> peers = Trained();
  if (peers.empty()) return 0;
  const std::vector<double> mean = Mean();
  double squares = 0;
  for (const SimPeer* peer : peers) {
    for (size_t i = 0; i < mean.size(); ++i) {
      const double distance = peer->parameters()[i] - mean[i];
      squares += distance * distance;
    }
  }
  return std::sqrt(squares / static_cast<double>(peers.size()));
}

double Simulation::DistanceFromOptimum() const {
  const std::vector<double> mean = Mean();
  double squares = 0;
  for (size_t i = 0; i < mean.size(); ++i) {
    squares += (mean[i] - optimum_[i]) * (mean[i] - optimum_[i]);
  }
  return std::sqrt(squares);
}

v1::GossipStatus Simulation::TotalGossip() const {
  v1::GossipStatus total = past_gossip_;
  for (const SimPeer* peer : living()) Add(peer->Status().gossip(), total);
  return total;
}

std::vector<std::string> Simulation::complaints() const {
  std::vector<std::string> all;
  for (const auto& checker : checkers_) {
    for (const std::string& complaint : checker->complaints()) {
      all.push_back(absl::StrCat(checker->name(), ": ", complaint));
    }
  }
  for (size_t node = 0; node < nodes_.size(); ++node) {
    if (nodes_[node].ended.ok()) continue;
    all.push_back(absl::StrCat("life: peer ", node, " ended by itself: ",
                               nodes_[node].ended.message()));
  }
  return all;
}

uint64_t Simulation::TraceHash() {
  for (const SimPeer* peer : living()) {
    for (const float parameter : peer->parameters()) {
      uint32_t bits;
      std::memcpy(&bits, &parameter, sizeof(bits));
      world_.trace().Add({bits});
    }
  }
  return world_.trace().value();
}

}  // namespace starling
