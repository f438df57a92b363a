// A whole swarm in virtual time: shipped Peers, the shipped coordinator, a network with faults, and
// checkers that look on. One seed, one course of events.
//
// A test builds one, says what happens to whom, lets time pass, and asks the checkers:
//
//   auto simulation = Simulation::Create(options);
//   simulation->RunFor(absl::Seconds(30));
//   simulation->Crash(2);
//   simulation->RunFor(absl::Seconds(30));
//   EXPECT_THAT(simulation->complaints(), IsEmpty());
//
// Nodes are numbered from 0; a node is an address and a PeerId, and runs one process at a time.

#ifndef STARLING_TESTS_SIM_SIMULATION_H_
#define STARLING_TESTS_SIM_SIMULATION_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "peer/runtime/buffer_pool.h"
#include "peer/runtime/random.h"
#include "tests/sim/checker.h"
#include "tests/sim/conservation_checker.h"
#include "tests/sim/sim_coordinator.h"
#include "tests/sim/sim_executor.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_peer.h"
#include "tests/sim/simulation_options.h"
#include "tests/sim/workload.h"

namespace starling {

class Simulation {
 public:
  struct Node {
    PeerId id;
    std::string address;
    Incarnation incarnation = 0;       // the highest of its processes so far
    std::unique_ptr<SimPeer> process;  // null: down
    bool departed = false;             // by Leave
    bool cloned = false;               // another node took its id: it is not to be started again
    std::vector<std::string> known;    // addresses of those that its last process saw living
    absl::Status ended;                // why its last process ended by itself, and should not have
  };

  // What a process knows of the one before it.
  enum class Memory {
    kAll,             // as with a state directory: id, incarnation, and the peers it knew, as seeds
    kIncarnation,     // id and incarnation
    kOldIncarnation,  // as from a backup: its id, and an incarnation below its last. Others know better,
                      // and it must notice that it is superseded and end.
  };

  // All peers start at once. INVALID_ARGUMENT: the options.
  static absl::StatusOr<std::unique_ptr<Simulation>> Create(const SimulationOptions& options);
  ~Simulation();

  void RunFor(absl::Duration duration);
  // Until `condition` holds, looked at as often as the checkers look; false if it did not within
  // `limit`.
  bool RunUntil(absl::FunctionRef<bool()> condition, absl::Duration limit);

  // Calls `onlooker` from now on between two events: once in every `interval` of virtual time; or
  // whenever all peers together have made another `steps` steps.
  using Onlooker = std::function<void(const Simulation& simulation)>;
  void Every(absl::Duration interval, Onlooker onlooker);
  void EverySteps(uint64_t steps, Onlooker onlooker);

  // What may happen. Nodes are given by number.
  void Crash(int node);
  void Restart(int node, Memory memory = Memory::kIncarnation);
  void RestartAsAnother(int node);  // at the same address, with an id of its own
  int Join();                       // a new node
  // A new node with the id of a living one, as from a cloned disk, and a higher incarnation: that one is
  // superseded, and must notice.
  int Clone(int node);
  void Leave(int node);
  void Pause(int node);
  void Resume(int node);
  void LeapClock(int node, absl::Duration by);
  void Partition(const std::set<int>& some, const std::set<int>& others);
  void Cut(const std::set<int>& from, const std::set<int>& to);
  // Also between nodes and the coordinator.
  void CutCoordinator(const std::set<int>& nodes);
  void Heal();
  // One direction between two nodes, until ClearLinks; a node's lines.
  void SetLink(int from, int to, const SimLink& link);
  void ClearLinks();
  void SetBandwidth(int node, const SimBandwidth& bandwidth);
  void SetNetwork(const SimNetworkOptions& options);
  // The coordinator, which must be among the options.
  void StopCoordinator();
  void StartCoordinator(bool with_lost_state = false);
  // Beside the one that runs; they know nothing of each other. Then the first one is stopped.
  void StartAnotherCoordinator();
  void StopFirstCoordinator();
  void PauseCoordinator();
  void ResumeCoordinator();
  size_t coordinators() const { return coordinator_ == nullptr ? 0 : coordinator_->processes(); }
  bool coordinator_runs() const { return coordinators() > 0; }
  // Overwrites all parameters of a living node, behind its back.
  void Poison(int node, float value);

  // Since when nothing has been wrong with the world: the network loses nothing, nobody is cut off or
  // paused, nobody came or went, nobody came while the coordinator that should introduce it was
  // dead. nullopt if something is.
  absl::optional<absl::Time> calm_since() const;
  absl::Time now() const { return world_.now(); }
  absl::Duration elapsed() const { return world_.now() - began_; }

  const SimulationOptions& options() const { return options_; }
  const v1::RunConfig& config() const { return config_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  // The living process of a node.
  const SimPeer& peer(int node) const;
  std::vector<const SimPeer*> living() const;
  // Those whose status checkers ask for at this look: all the living in a small swarm; in a large one
  // a few, in turn.
  const std::vector<const SimPeer*>& watched() const { return watched_; }
  const SimNetwork& network() const { return network_; }
  const Workload& workload() const { return workload_; }
  uint64_t events_run() const { return world_.events_run(); }

  // Over the living that have trained.
  std::vector<double> Mean() const;
  // sqrt(mean |x_i - mean x|^2).
  double ConsensusDistance() const;
  // |mean x - the optimum over all data|; NaN if nobody knows the optimum.
  double DistanceFromOptimum() const;
  // Sums over the living, and over processes that died as they were last.
  v1::GossipStatus TotalGossip() const;
  SimTraffic TotalTraffic() const;
  uint64_t TotalSteps() const { return environment_.steps; }
  // Processes that ended because others knew of a newer one with their id, and did.
  uint64_t superseded() const { return superseded_; }

  // With SimulationOptions::check only.
  ConservationChecker& conservation() { return *conservation_; }
  // Of all checkers so far, and "life: ..." of peers that ended by themselves. Empty if all is well.
  std::vector<std::string> complaints() const;
  const std::vector<std::unique_ptr<Checker>>& checkers() const { return checkers_; }

  // Over everything that happened and all parameters as they are now.
  uint64_t TraceHash();
  // The last lines that the peers logged, with their times.
  const std::deque<std::string>& log() const { return log_; }

 private:
  Simulation(const SimulationOptions& options, v1::RunConfig config);

  void StartProcess(int node, Memory memory = Memory::kIncarnation);
  std::vector<std::string> SeedsFor(int node) const;
  void EndProcess(int node);
  void ReapDeparted();
  void MakeCheckers();
  void Look();
  void ChooseWatched();
  void Disturb() { disturbed_ = world_.now(); }
  std::set<std::string> Addresses(const std::set<int>& nodes) const;
  std::vector<const SimPeer*> Trained() const;

  const SimulationOptions options_;
  const v1::RunConfig config_;
  const Random random_;
  BufferPool pool_;
  // Holds tasks that refer to everything below, so it goes last; but its executors are killed first.
  SimWorld world_;
  SimNetwork network_;
  std::unique_ptr<SimCoordinator> coordinator_;
  const Workload workload_;
  SimPeerWorld environment_;
  std::vector<std::unique_ptr<Checker>> checkers_;
  ConservationChecker* conservation_ = nullptr;
  std::vector<Node> nodes_;
  uint64_t processes_ = 0;
  uint64_t superseded_ = 0;
  // Of each id, also of clones whose node has forgotten it.
  std::map<PeerId, Incarnation> highest_;
  v1::GossipStatus past_gossip_;  // of processes that are gone
  SimTraffic past_traffic_;
  const absl::Time began_;
  absl::Time disturbed_;
  bool unintroduced_ = false;  // somebody started without the coordinator that it was given
  absl::Time next_look_;
  struct TimedOnlooker {
    absl::Duration interval;
    absl::Time next;
    Onlooker onlooker;
  };
  struct StepOnlooker {
    uint64_t interval;
    uint64_t next;
    Onlooker onlooker;
  };
  std::vector<TimedOnlooker> timed_onlookers_;
  std::vector<StepOnlooker> step_onlookers_;
  std::vector<const SimPeer*> watched_;
  size_t next_watched_ = 0;
  std::deque<std::string> log_;
};

}  // namespace starling

#endif  // STARLING_TESTS_SIM_SIMULATION_H_
