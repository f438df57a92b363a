// Real daemons as child processes, for integration tests: started on port 0, watched through their
// log and their status service, and never outliving the test.

#ifndef STARLING_TESTS_INTEGRATION_DAEMON_H_
#define STARLING_TESTS_INTEGRATION_DAEMON_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "proto/status.grpc.pb.h"

namespace starling {

// How long anything in an integration test may take. Generous: CI machines are slow and shared.
inline constexpr absl::Duration kPatience = absl::Seconds(60);

class Daemon {
 public:
  // `program` is a path in the runfiles, "peer/peerd". `wrapper` is a program, with its first
  // arguments, that becomes it: {"env", "http_proxy=..."}, {"prlimit", "--nofile=40"}.
  Daemon(const std::string& program, const std::vector<std::string>& arguments,
         const std::vector<std::string>& wrapper = {});
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  pid_t pid() const { return pid_; }
  // Where it listens, once its log says so; fails the test and returns "" if it never does.
  std::string address();
  // Waits until its log holds `text`.
  bool LogHas(const std::string& text, absl::Duration patience = kPatience);
  std::string log();

  void Signal(int number);
  // Waits for its end. Exit code, 128 + signal, or -1 if it did not end in time.
  int Wait(absl::Duration patience = kPatience);

 private:
  void ReadLog(int fd);

  pid_t pid_ = -1;
  int pidfd_ = -1;
  int end_ = -1;
  bool ended_ = false;
  std::thread reader_;
  absl::Mutex mutex_;
  std::string log_ ABSL_GUARDED_BY(mutex_);
  bool log_closed_ ABSL_GUARDED_BY(mutex_) = false;
};

// Follows a daemon's status until `wanted` is true of it, or `patience` ends; a daemon whose watches
// are all taken is asked again. Returns whether it happened; `last` gets the last status seen.
bool WatchUntil(const std::string& address, const std::function<bool(const v1::Status&)>& wanted,
                v1::Status* last = nullptr, absl::Duration patience = kPatience);

// The daemon's status now; fails the test if it does not answer.
v1::Status StatusOf(const std::string& address);

std::unique_ptr<v1::StatusService::Stub> StatusStub(const std::string& address);

// A coordinator and its address, with flags common to all tests; `flags` are added.
std::unique_ptr<Daemon> StartCoordinator(std::vector<std::string> flags,
                                         const std::vector<std::string>& wrapper = {});
std::unique_ptr<Daemon> StartPeer(std::vector<std::string> flags,
                                  const std::vector<std::string>& wrapper = {});

// The state in which `observer` sees the peer with that id; UNSPECIFIED if it does not know it.
v1::PeerState StateSeenBy(const v1::Status& observer, const std::string& peer_id);

}  // namespace starling

#endif  // STARLING_TESTS_INTEGRATION_DAEMON_H_
