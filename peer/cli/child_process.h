// A daemon that this program started and that never outlives it.
//
// Three things see to that: the destructor kills, the kernel sends SIGKILL when the thread that
// spawned the child ends (PR_SET_PDEATHSIG), even if this program itself was killed, and the child
// leads a process group of its own, so that its own children are killed with it and a Ctrl-C typed
// at the terminal reaches only us, who then stop things in order.
//
// Because of PR_SET_PDEATHSIG, spawn from a thread that lives as long as the child should: the main
// thread. Not thread-safe.

#ifndef STARLING_PEER_CLI_CHILD_PROCESS_H_
#define STARLING_PEER_CLI_CHILD_PROCESS_H_

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace starling {

// How a process ended: by itself with `code`, or by `signal` if that is not 0.
struct ProcessEnd {
  int code = 0;
  int signal = 0;

  bool ok() const { return code == 0 && signal == 0; }
  // "exit code 66", "signal 11 (Segmentation fault)".
  std::string ToString() const;
};

class ChildProcess {
 public:
  struct Options {
    std::string program;                 // path of the executable
    std::vector<std::string> arguments;  // without argv[0]
    std::string log_path;                // takes stdout and stderr, appended
    // Descriptor of the network namespace that it lives in; negative: ours.
    int network_namespace = -1;
  };

  // NOT_FOUND: no such program. PERMISSION_DENIED: not executable, or the log cannot be written.
  // RESOURCE_EXHAUSTED: the system has no room for another process or file. UNKNOWN: otherwise.
  static absl::StatusOr<ChildProcess> Spawn(const Options& options);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  // Kills the child and what it started, and waits for it.
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  bool running() { return !Poll().has_value(); }

  // How it ended, or nothing while it runs. Does not wait.
  std::optional<ProcessEnd> Poll();

  // Sends a signal to the child's process group, if it still runs.
  void Signal(int number);

  // SIGKILL, and waits until the process is gone.
  ProcessEnd Kill();

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}

  pid_t pid_ = -1;
  std::optional<ProcessEnd> end_;
};

// Asks all to end with SIGTERM, waits up to `grace` or until `hurry` says so, then kills the rest.
// Returns once none of them runs. Entry i tells whether processes[i] had to be killed.
std::vector<bool> StopProcesses(const std::vector<ChildProcess*>& processes, absl::Duration grace,
                                const std::function<bool()>& hurry);

}  // namespace starling

#endif  // STARLING_PEER_CLI_CHILD_PROCESS_H_
