// A TCP proxy of ours that makes a good network bad: it delays, jitters, flips bits and cuts.
//
// Every connection to it is one connection to the target. What comes in on one side leaves on the
// other after `delay` and up to `jitter` more, in order, as TCP would have it; on the way each byte
// has one bit flipped with a small probability; after a number of bytes the connection is reset.
// A direction holds at most 4 MiB, then it stops reading: the sender sees a full network.
//
// Runs a thread of its own. Methods: any thread. Faults apply to bytes that arrive from then on.

#ifndef STARLING_TESTS_CHAOS_ASIO_TCP_PROXY_H_
#define STARLING_TESTS_CHAOS_ASIO_TCP_PROXY_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/time/time.h"

namespace starling {

struct TcpFaults {
  absl::Duration delay;
  absl::Duration jitter;
  // Mean number of bytes from one flipped bit to the next; 0: none.
  uint64_t bytes_per_flip = 0;
  // A connection is reset once so many bytes have gone through, both ways together; 0: never.
  uint64_t cut_after = 0;
};

class AsioTcpProxy {
 public:
  // Listens on a free port of 127.0.0.1; `target_port` is on 127.0.0.1 too and need not be open
  // yet. Aborts if there is no port. `seed` decides where bits flip.
  AsioTcpProxy(int target_port, uint64_t seed);
  ~AsioTcpProxy();

  int port() const;
  void Set(const TcpFaults& faults);
  // Resets all connections there are.
  void CutAll();

  uint64_t connections() const;  // so far
  uint64_t bytes() const;        // passed on
  uint64_t flips() const;
  uint64_t cuts() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace starling

#endif  // STARLING_TESTS_CHAOS_ASIO_TCP_PROXY_H_
