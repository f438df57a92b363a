#include "tests/sim/nemesis.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/sim/partitions.h"

namespace starling {

Nemesis::Nemesis(Simulation& simulation, const NemesisOptions& options, Random random)
    : simulation_(simulation), options_(options), random_(random) {}

void Nemesis::RunFor(absl::Duration duration) {
  const absl::Time end = simulation_.now() + duration;
  absl::Time next = simulation_.now() + Length(options_.interval);
  while (true) {
    const absl::Time ending = ends_.empty() ? absl::InfiniteFuture() : ends_.begin()->first;
    simulation_.RunFor(std::min({next, ending, end}) - simulation_.now());
    EndDue();
    if (simulation_.now() >= end) break;
    if (simulation_.now() < next) continue;
    DoSomething();
    next = simulation_.now() + Length(options_.interval);
  }
  for (auto& [when, finish] : std::exchange(ends_, {})) finish();
}

void Nemesis::After(absl::Duration pause, std::function<void()> end) {
  ends_.emplace(simulation_.now() + pause, std::move(end));
}

void Nemesis::EndDue() {
  while (!ends_.empty() && ends_.begin()->first <= simulation_.now()) {
    const std::function<void()> finish = std::move(ends_.begin()->second);
    ends_.erase(ends_.begin());
    finish();
  }
}

absl::Duration Nemesis::Length(absl::Duration mean) {
  return absl::Milliseconds(1) + absl::Seconds(random_.Exponential(absl::ToDoubleSeconds(mean)));
}

std::vector<int> Nemesis::NodesThat(NodeTest test) const {
  std::vector<int> nodes;
  for (size_t node = 0; node < simulation_.nodes().size(); ++node) {
    const int number = static_cast<int>(node);
    if (test(number, simulation_.nodes()[node])) nodes.push_back(number);
  }
  return nodes;
}

int Nemesis::OneAwake() {
  const std::vector<int> awake = NodesThat([](int, const Simulation::Node& node) {
    return node.process != nullptr && !node.process->paused() && !node.process->leaving();
  });
  if (awake.size() <= options_.awake_at_least) return -1;
  return awake[random_.UniformInt(awake.size())];
}

void Nemesis::DoSomething() {
  switch (random_.UniformInt(simulation_.options().coordinator ? 19 : 16)) {
    case 0:
    case 1:
    case 2:
      return Crash();
    case 3:
      return Amnesia();
    case 4:
      return Clone();
    case 5:
      return Leave();
    case 6:
      return Join();
    case 7:
    case 8:
    case 9:
      return Pause();
    case 10:
      return Leap();
    case 11:
    case 12:
    case 13:
      return Partition();
    case 14:
      return WorsenLinks();
    case 15:
      return WorsenNetwork();
    default:
      return TroubleCoordinator();
  }
}

void Nemesis::StartAgain(int number, Simulation::Memory memory) {
  const Simulation::Node& node = simulation_.nodes()[number];
  if (node.process == nullptr && !node.cloned) simulation_.Restart(number, memory);
}

void Nemesis::Crash() {
  const int node = OneAwake();
  if (node < 0) return;
  simulation_.Crash(node);
  // At once, as a supervisor would, or much later.
  const absl::Duration absence = Length(random_.Bernoulli(0.5) ? absl::Seconds(2) : options_.length);
  const uint64_t memory = random_.UniformInt(4);
  Count(memory == 0 ? "crash, state lost" : "crash");
  After(absence, [this, node, memory] {
    const Simulation::Node& down = simulation_.nodes()[node];
    if (memory != 0) {
      StartAgain(node, memory == 1 ? Simulation::Memory::kIncarnation : Simulation::Memory::kAll);
    } else if (down.process == nullptr && !down.cloned) {
      simulation_.RestartAsAnother(node);
    }
  });
}

void Nemesis::Amnesia() {
  const int node = OneAwake();
  if (node < 0) return;
  Count("amnesia");
  simulation_.Crash(node);
  After(Length(absl::Seconds(5)),
        [this, node] { StartAgain(node, Simulation::Memory::kOldIncarnation); });
}

void Nemesis::Clone() {
  const int node = OneAwake();
  if (node < 0 || simulation_.living().size() >= options_.living_at_most) return;
  // The centre is one. The first two are whom newcomers ask for the swarm. And of two clones of one process
  // neither would be the newer.
  const Simulation::Node& original = simulation_.nodes()[node];
  if (original.process->spec().centre || node < 2 || original.cloned) return;
  Count("clone");
  simulation_.Clone(node);
}

void Nemesis::Leave() {
  const int node = OneAwake();
  if (node < 0 || simulation_.living().size() <= simulation_.config().min_peers()) return;
  Count("leave");
  simulation_.Leave(node);
  if (random_.Bernoulli(0.5)) {
    After(Length(options_.length), [this, node] { StartAgain(node, Simulation::Memory::kAll); });
  }
}

void Nemesis::Join() {
  if (simulation_.living().size() >= options_.living_at_most) return;
  // Somewhere new, or where somebody else was.
  const std::vector<int> empty = NodesThat([](int, const Simulation::Node& node) {
    return node.process == nullptr && node.departed && !node.cloned;
  });
  Count("join");
  if (empty.empty()) {
    simulation_.Join();
  } else {
    simulation_.RestartAsAnother(empty[random_.UniformInt(empty.size())]);
  }
}

void Nemesis::Pause() {
  const int node = OneAwake();
  if (node < 0) return;
  const MembershipOptions& membership = simulation_.options().membership;
  absl::Duration length;
  switch (random_.UniformInt(3)) {
    case 0:
      Count("pause, short");
      length = Between(0.1, 2) * membership.ping_interval;
      break;
    case 1:
      Count("pause, as a suspicion");
      length = Between(0.5, 2) * membership.SuspicionMin(simulation_.living().size());
      break;
    default:
      Count("pause, beyond death");
      length = Between(1, 4) * membership.SuspicionMax(simulation_.living().size());
  }
  simulation_.Pause(node);
  const SimPeer* const process = simulation_.nodes()[node].process.get();
  const uint64_t number = process->spec().process;
  After(length, [this, node, number] {
    const SimPeer* const sleeper = simulation_.nodes()[node].process.get();
    if (sleeper != nullptr && sleeper->spec().process == number) simulation_.Resume(node);
  });
}

void Nemesis::Leap() {
  const int node = OneAwake();
  if (node < 0) return;
  Count("clock leap");
  simulation_.LeapClock(node, Length(random_.Bernoulli(0.5) ? absl::Seconds(1) : absl::Minutes(2)));
}

void Nemesis::Partition() {
  if (std::exchange(parted_, true)) return;
  std::vector<int> nodes =
      NodesThat([](int, const Simulation::Node& node) { return node.process != nullptr; });
  random_.Shuffle(nodes);
  const PartitionKind kind = kPartitionKinds[random_.UniformInt(std::size(kPartitionKinds))];
  Count(absl::StrCat("partition: ", std::string(NameOf(kind))));
  for (const auto& [from, to] : CutsOf(kind, nodes)) simulation_.Cut({from}, {to});
  if (simulation_.options().coordinator && random_.Bernoulli(0.5)) {
    simulation_.CutCoordinator({nodes.begin(), nodes.begin() + nodes.size() / 2});
  }
  After(Length(options_.length), [this] {
    parted_ = false;
    simulation_.Heal();
  });
}

void Nemesis::WorsenLinks() {
  if (std::exchange(links_worse_, true)) return;
  Count("bad links");
  const std::vector<int> nodes =
      NodesThat([](int, const Simulation::Node& node) { return node.process != nullptr; });
  for (uint64_t i = random_.UniformInt(4); i < 4; ++i) {
    const int from = nodes[random_.UniformInt(nodes.size())];
    const int to = nodes[random_.UniformInt(nodes.size())];
    if (from == to) continue;
    SimLink link;
    link.loss = Between(0.1, 0.9);
    link.delay_floor = absl::Milliseconds(Between(0, 300));
    link.delay_spread = absl::Milliseconds(Between(0, 300));
    simulation_.SetLink(from, to, link);
  }
  After(Length(options_.length), [this] {
    links_worse_ = false;
    simulation_.ClearLinks();
  });
}

void Nemesis::WorsenNetwork() {
  if (std::exchange(network_worse_, true)) return;
  Count("bad network");
  SimNetworkOptions network = simulation_.options().network;
  network.loss = random_.Bernoulli(0.6) ? Between(0, 0.3) : 0;
  network.duplication = random_.Bernoulli(0.5) ? Between(0, 0.3) : 0;
  network.corruption = random_.Bernoulli(0.4) ? Between(0, 0.1) : 0;
  network.replay = random_.Bernoulli(0.6) ? Between(0, 0.5) : 0;
  network.replay_after = absl::Seconds(Between(1, 300));
  network.delay_spread += absl::Milliseconds(Between(0, 200));
  simulation_.SetNetwork(network);
  After(Length(2 * options_.length), [this] {
    network_worse_ = false;
    simulation_.SetNetwork(simulation_.options().network);
  });
}

void Nemesis::TroubleCoordinator() {
  if (coordinator_troubled_) return;
  if (!simulation_.coordinator_runs()) {  // never started so far
    Count("coordinator: first start");
    return simulation_.StartCoordinator();
  }
  coordinator_troubled_ = true;
  const absl::Duration length = Length(random_.Bernoulli(0.5) ? absl::Seconds(3) : options_.length);
  std::function<void()> end;
  switch (random_.UniformInt(4)) {
    case 0:
      Count("coordinator: killed");
      simulation_.StopCoordinator();
      end = [this] { simulation_.StartCoordinator(); };
      break;
    case 1:
      // Its epochs are then behind what peers have seen: nobody believes its plans, nobody stops.
      Count("coordinator: state lost");
      simulation_.StopCoordinator();
      simulation_.StartCoordinator(/*with_lost_state=*/true);
      end = [this] {
        simulation_.StopCoordinator();
        simulation_.StartCoordinator();
      };
      break;
    case 2:
      Count("coordinator: asleep");
      simulation_.PauseCoordinator();
      end = [this] { simulation_.ResumeCoordinator(); };
      break;
    default:
      Count("coordinator: two at once");
      simulation_.StartAnotherCoordinator();
      end = [this] { simulation_.StopFirstCoordinator(); };
  }
  After(length, [this, end = std::move(end)] {
    coordinator_troubled_ = false;
    end();
  });
}

}  // namespace starling
