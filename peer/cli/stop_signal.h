// Notices that somebody wants this program to stop: Ctrl-C, SIGTERM, SIGHUP (the terminal went
// away) or SIGPIPE (the reader of our output did), and lets the main loop sleep until then.
//
// The handler only stores the number and writes to a pipe; all else happens in the loop that asks.
// At most one object may exist at a time; the signals' earlier dispositions return with its end.

#ifndef STARLING_PEER_CLI_STOP_SIGNAL_H_
#define STARLING_PEER_CLI_STOP_SIGNAL_H_

#include <csignal>
#include <vector>

#include "absl/time/time.h"

namespace starling {

class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // The first signal that came; 0 if none did.
  int number() const;
  // How many came: at the second one people have lost their patience.
  int count() const;
  // Sleeps for `duration` or until the first signal. Returns at once if one came before.
  void Sleep(absl::Duration duration) const;

 private:
  struct Saved {
    int number;
    struct sigaction action;
  };
  std::vector<Saved> saved_;
};

// What a shell reports of a program that ended by this signal: 128 + number.
inline int ExitCodeForSignal(int number) { return 128 + number; }

}  // namespace starling

#endif  // STARLING_PEER_CLI_STOP_SIGNAL_H_
