// The processes of a demo: a coordinator and peers on loopback, each on a port that it chose itself
// and wrote to its address file. Starts them, asks them how they are, kills one, ends them all.
//
// Blocking, one thread: the main one (child_process.h says why). Nothing survives the destructor.

#ifndef STARLING_PEER_CLI_DEMO_SWARM_H_
#define STARLING_PEER_CLI_DEMO_SWARM_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "peer/cli/child_process.h"
#include "peer/cli/daemon_paths.h"
#include "peer/cli/demo_options.h"
#include "peer/cli/demo_peer.h"
#include "peer/cli/grpc_status_client.h"
#include "peer/cli/stop_signal.h"

namespace starling {

class DemoSwarm {
 public:
  struct Options {
    DemoOptions demo;
    DaemonPaths paths;
    std::string log_directory;   // exists
    std::string work_directory;  // exists; takes the address files
  };

  // `stop` outlives the swarm.
  DemoSwarm(Options options, const StopSignal* stop);

  // Starts the coordinator, waits until it listens, starts the workers and then the centre, if there
  // is one; does not wait for these.
  // UNAVAILABLE: a program could not be started, or the coordinator did not come to listen (see
  // coordinator_failure()). CANCELLED: stopped by a signal.
  absl::Status Start();

  // Learns what can be learned without waiting for more than about half a second: who ended, who
  // has an address by now, what each says, whether somebody noticed that a killed peer is gone.
  void Poll();

  void Kill(int peer);

  // UNAVAILABLE: the program could not be started.
  absl::Status AddNewcomer();

  // Has one running worker evaluate the average; the next one if that one cannot.
  absl::StatusOr<v1::EvaluateAverageResponse> EvaluateAverage(absl::Duration timeout);

  // Asks the peers to end, then the coordinator, kills who does not, and notes who ended badly.
  void Stop();

  const std::vector<DemoPeer>& peers() const { return peers_; }
  // The process of peers()[peer]; -1 once it has ended.
  pid_t ProcessOf(size_t peer) const;
  // host:port, empty before Start().
  const std::string& coordinator_address() const { return coordinator_address_; }
  // How the coordinator ended unasked; empty if it did not.
  const std::string& coordinator_failure() const { return coordinator_failure_; }
  int coordinator_exit_code() const { return coordinator_exit_code_; }
  // The end of the log of "coordinatord" or of a peer.
  std::vector<std::string> LogOf(absl::string_view name) const;

 private:
  struct Daemon {
    std::optional<ChildProcess> process;
    std::string address_file;
    std::unique_ptr<StatusClient> client;
  };

  absl::StatusOr<Daemon> Launch(const std::string& program, const std::string& name,
                                std::vector<std::string> arguments);
  absl::Status AddWorker(bool newcomer);
  absl::Status AddPeer(DemoPeer peer);
  absl::Status WaitForCoordinator();
  void ReapEnded();
  void AskAll();
  void LookForDeaths();
  std::string LogPath(absl::string_view name) const;
  std::string AddressFile(absl::string_view name) const;

  const Options options_;
  const StopSignal* const stop_;
  Daemon coordinator_;
  std::string coordinator_address_;
  std::string coordinator_failure_;
  int coordinator_exit_code_ = 0;
  // daemons_[i] is the process of peers_[i].
  std::vector<Daemon> daemons_;
  std::vector<DemoPeer> peers_;
};

}  // namespace starling

#endif  // STARLING_PEER_CLI_DEMO_SWARM_H_
