#include "tests/sim/chaos.h"

#include <algorithm>
#include <set>
#include <vector>

#include "absl/functional/function_ref.h"

namespace starling {
namespace {

constexpr size_t kAwakeAtLeast = 2;

class Chaos {
 public:
  Chaos(Simulation& simulation, Random random) : simulation_(simulation), random_(random) {}

  void DoSomething() {
    switch (random_.UniformInt(simulation_.options().coordinator ? 12 : 8)) {
      case 0:
        return Crash();
      case 1:
      case 2:
        return WithOneOf(Nodes([](const Simulation::Node& node) { return node.process == nullptr; }),
                         [&](int node) { simulation_.Restart(node); });
      case 3:
        if (simulation_.living().size() <= simulation_.config().min_peers()) {
          simulation_.Join();
        }
        return;
      case 4:
        return WithOneAwake([&](int node) { simulation_.Leave(node); });
      case 5:
        return WithOneAwake([&](int node) { simulation_.Pause(node); });
      case 6:
        return WithOneOf(Sleepers(), [&](int node) { simulation_.Resume(node); });
      case 7:
        return SplitOrHeal();
      case 8:
        if (simulation_.coordinator_runs()) simulation_.StopCoordinator();
        return;
      case 9:
      case 10:
        if (!simulation_.coordinator_runs()) simulation_.StartCoordinator();
        return simulation_.ResumeCoordinator();
      default:
        return simulation_.PauseCoordinator();
    }
  }

  void Undo() {
    for (const int node : Sleepers()) simulation_.Resume(node);
    simulation_.Heal();
    if (!simulation_.options().coordinator) return;
    if (!simulation_.coordinator_runs()) simulation_.StartCoordinator();
    simulation_.ResumeCoordinator();
  }

 private:
  std::vector<int> Nodes(absl::FunctionRef<bool(const Simulation::Node&)> chosen) const {
    std::vector<int> numbers;
    for (size_t node = 0; node < simulation_.nodes().size(); ++node) {
      if (chosen(simulation_.nodes()[node])) numbers.push_back(static_cast<int>(node));
    }
    return numbers;
  }
  std::vector<int> Sleepers() const {
    return Nodes([](const Simulation::Node& node) {
      return node.process != nullptr && node.process->paused();
    });
  }

  void WithOneOf(const std::vector<int>& nodes, absl::FunctionRef<void(int)> act) {
    if (!nodes.empty()) act(nodes[random_.UniformInt(nodes.size())]);
  }
  void WithOneAwake(absl::FunctionRef<void(int)> act) {
    const std::vector<int> awake = Nodes([](const Simulation::Node& node) {
      return node.process != nullptr && !node.process->paused() && !node.process->leaving();
    });
    if (awake.size() > kAwakeAtLeast) WithOneOf(awake, act);
  }

  void Crash() {
    WithOneAwake([&](int node) { simulation_.Crash(node); });
  }

  void SplitOrHeal() {
    simulation_.Heal();
    if (random_.Bernoulli(0.5)) return;
    std::set<int> some;
    std::set<int> others;
    for (size_t node = 0; node < simulation_.nodes().size(); ++node) {
      (random_.Bernoulli(0.5) ? some : others).insert(static_cast<int>(node));
    }
    if (random_.Bernoulli(0.3)) {
      simulation_.Cut(some, others);
    } else {
      simulation_.Partition(some, others);
      simulation_.CutCoordinator(others);
    }
  }

  Simulation& simulation_;
  Random random_;
};

}  // namespace

void RunChaos(Simulation& simulation, absl::Duration duration, absl::Duration mean_interval,
              Random random) {
  Chaos chaos(simulation, random.Split("events"));
  const absl::Time end = simulation.now() + duration;
  while (simulation.now() < end) {
    const absl::Duration pause =
        absl::Seconds(random.Exponential(absl::ToDoubleSeconds(mean_interval)));
    simulation.RunFor(std::min(pause, end - simulation.now()));
    if (simulation.now() < end) chaos.DoSomething();
  }
  chaos.Undo();
}

}  // namespace starling
