// The coordinator in the simulated world: the shipped CoordinatorActor behind CoordinatorClients whose
// calls cross the SimNetwork, to and from the address kAddress.
//
// It can die and start again (Stop, Start), which loses its registry as it does for the daemon, whose
// memory it is; with its state directory it goes on counting its starts, without it begins anew. There
// can be two at once that know nothing of each other (StartAnother), each of which half the peers find
// at the address. And it can take a rest with everything in its head (Pause, Resume), like a process under
// SIGSTOP or a machine that was suspended.
//
// A watch is a stream: its events arrive in order; when one cannot pass, the stream breaks, and the
// watcher learns of it within `call_timeout`.
//
// Single-threaded, like the world. Outlives its clients and the tasks of their executors.

#ifndef STARLING_TESTS_SIM_SIM_COORDINATOR_H_
#define STARLING_TESTS_SIM_SIM_COORDINATOR_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "coordinator/coordinator_actor.h"
#include "peer/membership/coordinator_client.h"
#include "peer/runtime/random.h"
#include "tests/sim/sim_executor.h"
#include "tests/sim/sim_network.h"

namespace starling {

struct SimCoordinatorOptions {
  RegistryOptions registry = RegistryOptions::Fast();
  // After this long a client gives up a call.
  absl::Duration call_timeout = absl::Seconds(2);
};

class SimCoordinator {
 public:
  static constexpr char kAddress[] = "coordinator:1";

  // Not running until Start. `config` is complete and valid.
  SimCoordinator(SimWorld* world, SimNetwork* network, const SimCoordinatorOptions& options,
                 const v1::RunConfig& config, Random random);
  ~SimCoordinator();

  // A new process with an empty registry and the next start number, or, its state lost, a lower one. None
  // runs.
  void Start(bool with_lost_state = false);
  // A second process beside the one that runs, with the next start number.
  void StartAnother();
  // As by SIGKILL: all, or the one that has run for longest.
  void Stop();
  void StopFirst();
  void Pause();
  void Resume();
  size_t processes() const { return processes_.size(); }
  bool running() const { return !processes_.empty(); }
  bool paused() const;

  // For the peer at `address`.
  std::unique_ptr<CoordinatorClient> ClientFor(const std::string& address, SimExecutor* control);

 private:
  class Client;
  class Stream;
  struct Process;
  template <typename Response>
  struct PendingCall;

  template <typename Response>
  void Call(const std::string& from, SimExecutor* caller,
            absl::AnyInvocable<absl::StatusOr<Response>(CoordinatorActor&)> work,
            absl::AnyInvocable<void(absl::StatusOr<Response>)> done);
  void Watch(std::shared_ptr<Stream> stream);
  void Drop(std::shared_ptr<Stream> stream);
  void StartProcess(uint64_t start_number);
  // Whom a call from there reaches; null: nobody.
  std::shared_ptr<Process> ProcessFor(const std::string& address) const;

  SimWorld* const world_;
  SimNetwork* const network_;
  const SimCoordinatorOptions options_;
  const v1::RunConfig config_;
  const Random random_;
  uint64_t start_number_;
  uint64_t lost_starts_ = 0;
  std::vector<std::shared_ptr<Process>> processes_;  // one or two, the first to start in front
};

}  // namespace starling

#endif  // STARLING_TESTS_SIM_SIM_COORDINATOR_H_
