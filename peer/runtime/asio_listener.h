// A listening TCP socket that hands accepted connections to somebody else, and that survives
// floods.
//
// It accepts on a thread of its own, for as long as it lives, whatever happens:
//   * above `max_connections` open ones a new connection is closed at once. A connection counts as
//     open while its descriptor still names the socket that was accepted, so the receiver need not
//     report when it closes one (it must not duplicate the descriptor);
//   * when the process is out of file descriptors, a spare one is given up to accept and close what
//     waits, so that clients get an answer and the queue empties;
//   * after any other error it tries again a moment later.
// What it closes is counted, and logged at most once a minute. Every port has one listener: no
// SO_REUSEPORT, so that two daemons never share one by mistake.

#ifndef STARLING_PEER_RUNTIME_ASIO_LISTENER_H_
#define STARLING_PEER_RUNTIME_ASIO_LISTENER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace starling {

// Raises the soft limit of open files to the hard one, but not above 65536. Returns what it is
// then.
int RaiseFileLimit();

class AsioListener {
 public:
  // `accepted(fd)` runs on the listener's thread and owns the descriptor, which is non-blocking,
  // close-on-exec and has TCP_NODELAY set. A name with several addresses is bound at the first that
  // works, IPv4 before IPv6.
  // INVALID_ARGUMENT: not host:port, does not resolve, or not an address of this machine.
  // UNAVAILABLE: the port is taken or may not be used.
  static absl::StatusOr<std::unique_ptr<AsioListener>> Listen(absl::string_view address,
                                                              int max_connections,
                                                              std::function<void(int fd)> accepted);

  // Stops; `accepted` is not called afterwards.
  ~AsioListener();

  // The host as it was asked for, the port as bound.
  const std::string& address() const;

  // Connections closed because there were too many or no descriptors left. Any thread.
  uint64_t shed() const;

 private:
  class Impl;
  explicit AsioListener(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_ASIO_LISTENER_H_
