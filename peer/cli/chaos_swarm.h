// The processes of one run of `starling chaos`: a coordinator and peers as `starling demo` starts
// them, on loopback or each on a node of a ChaosNetwork, and the ways to make them suffer.
//
// Blocking, one thread: the main one (child_process.h says why). Nothing survives the destructor.

#ifndef STARLING_PEER_CLI_CHAOS_SWARM_H_
#define STARLING_PEER_CLI_CHAOS_SWARM_H_

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "peer/cli/chaos_network.h"
#include "peer/cli/chaos_timeline.h"
#include "peer/cli/child_process.h"
#include "peer/cli/daemon_paths.h"
#include "peer/cli/demo_options.h"
#include "peer/cli/grpc_status_client.h"
#include "peer/cli/stop_signal.h"

namespace starling {

class ChaosSwarm {
 public:
  struct Options {
    DemoOptions demo;  // epochs 0: for ever
    std::string preset = "fast";
    DaemonPaths paths;
    std::string log_directory;   // exists
    std::string work_directory;  // exists; takes the address files
    // Node 0 is for the coordinator, node i + 1 for peer i; null: all are on loopback.
    ChaosNetwork* network = nullptr;
  };

  // `stop` outlives the swarm, as does the network.
  ChaosSwarm(Options options, const StopSignal* stop);

  // Starts everybody and waits until all peers train.
  // UNAVAILABLE: a daemon did not start, ended, or did not come to train in time; says which, and
  // why if its log does. CANCELLED: stopped by a signal.
  absl::Status Start();

  int peers() const { return static_cast<int>(peers_.size()); }
  // Of processes that were started; those of the dead are nobody's.
  pid_t pid(int peer) const { return peers_[peer].process->pid(); }
  pid_t coordinator_pid() const { return coordinator_.process->pid(); }

  // UNAVAILABLE: the program could not be started.
  absl::Status AddPeer();
  void Kill(int peer);
  // SIGSTOP; it is not asked until Thaw().
  void Freeze(int peer);
  void Thaw(int peer);
  // A peer that would answer too late to be worth the wait is not asked while this is set.
  void LeaveUnasked(int peer, bool unasked);
  void KillCoordinator();
  // At its old address. UNAVAILABLE: the program could not be started.
  absl::Status RestartCoordinator();

  // What everybody says now; takes as long as the slowest answer, half a second at most.
  ChaosSample Sample(absl::Time start);

  // Who ended although nobody killed it: "p2: exit code 70"; empty if nobody did.
  std::string Failure();

  // By the first peer that can.
  absl::StatusOr<v1::EvaluateAverageResponse> EvaluateAverage(absl::Duration timeout);

  // Ends all of them, first with SIGTERM.
  void Stop();

 private:
  struct Daemon {
    std::string name;
    std::optional<ChildProcess> process;
    std::unique_ptr<StatusClient> client;
    bool killed = false;  // by us
    bool frozen = false;
    bool unasked = false;
  };

  absl::Status Launch(Daemon& daemon, const std::string& program, int node,
                      std::vector<std::string> arguments);
  absl::Status LaunchCoordinator(std::vector<std::string> more);
  // Until `done`; asks 10 times a second.
  absl::Status WaitFor(absl::string_view what, const std::function<bool()>& done);
  bool AllTrain();
  std::vector<StatusClient*> Clients();
  absl::Status Explain(absl::string_view what);
  std::string AddressFile(absl::string_view name) const;
  std::string LogPath(absl::string_view name) const;

  const Options options_;
  const StopSignal* const stop_;
  std::string coordinator_address_;
  Daemon coordinator_;
  std::vector<Daemon> peers_;
  std::map<std::string, int> number_of_id_;
};

}  // namespace starling

#endif  // STARLING_PEER_CLI_CHAOS_SWARM_H_
