#include "peer/cli/stop_signal.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "absl/time/clock.h"
#include "peer/runtime/check.h"

namespace starling {
namespace {

// Signal handlers reach nothing but globals.
std::atomic<bool> exists{false};
std::atomic<int> first_signal{0};
std::atomic<int> signal_count{0};
std::atomic<int> pipe_in{-1};
std::atomic<int> pipe_out{-1};

void OnSignal(int number) {
  const int saved_errno = errno;
  int none = 0;
  first_signal.compare_exchange_strong(none, number);
  signal_count.fetch_add(1);
  // A full pipe is as good as one more byte in it.
  [[maybe_unused]] const ssize_t written = write(pipe_in.load(), "", 1);
  errno = saved_errno;
}

}  // namespace

StopSignal::StopSignal() {
  STARLING_CHECK(!exists.exchange(true));
  int ends[2];
  STARLING_CHECK(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
  pipe_out = ends[0];
  pipe_in = ends[1];
  first_signal = 0;
  signal_count = 0;
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) {
    Saved saved = {.number = number};
    STARLING_CHECK(sigaction(number, &action, &saved.action) == 0);
    saved_.push_back(saved);
  }
}

StopSignal::~StopSignal() {
  for (const Saved& saved : saved_) sigaction(saved.number, &saved.action, nullptr);
  close(pipe_in.exchange(-1));
  close(pipe_out.exchange(-1));
  exists = false;
}

int StopSignal::number() const { return first_signal.load(); }

int StopSignal::count() const { return signal_count.load(); }

void StopSignal::Sleep(absl::Duration duration) const {
  const absl::Time end = absl::Now() + duration;
  for (absl::Duration left = duration; number() == 0 && left > absl::ZeroDuration();
       left = end - absl::Now()) {
    struct pollfd entry = {.fd = pipe_out.load(), .events = POLLIN};
    poll(&entry, 1, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1);
  }
}

}  // namespace starling
