// SIGINT and SIGTERM as calls of a function instead of the end of the process.
//
// A thread of its own waits for them, so that a signal gets through however busy or stuck the rest
// of the program is. The usual program leaves in good order on the first signal and calls _exit on
// the second.

#ifndef STARLING_PEER_RUNTIME_ASIO_SIGNALS_H_
#define STARLING_PEER_RUNTIME_ASIO_SIGNALS_H_

#include <functional>
#include <memory>

namespace starling {

class AsioSignals {
 public:
  // `handler(signal, times)` runs on the signal thread at each SIGINT or SIGTERM; `times` counts
  // both kinds together, from 1. It should hand over to an executor. One object at a time.
  explicit AsioSignals(std::function<void(int signal, int times)> handler);

  // Restores the default dispositions. No call of the handler is underway afterwards.
  ~AsioSignals();

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_ASIO_SIGNALS_H_
