// Kills one peer of a swarm after the other and starts another for each, while the rest trains.

#ifndef STARLING_TESTS_CHAOS_KILL_SERIES_H_
#define STARLING_TESTS_CHAOS_KILL_SERIES_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "peer/cli/chaos_swarm.h"
#include "peer/cli/stop_signal.h"

namespace starling {

// What a process holds.
struct Belongings {
  int64_t resident_bytes = 0;
  int descriptors = 0;
  int threads = 0;
};

// Zeros if there is no such process.
Belongings BelongingsOf(pid_t pid);

struct KillSeriesOptions {
  // The first half of these lives through all of it; the others are killed in turn, the oldest
  // first.
  ChaosSwarm::Options swarm;
  absl::Duration interval = absl::Seconds(10);
  int kills = 4;
  // Training before the first kill, and from the last newcomer to the end.
  absl::Duration quiet = absl::Seconds(15);
  std::function<void(const std::string&)> say;
};

struct KillSeriesReport {
  struct Survivor {
    std::string name;
    double longest_pause = 0;  // seconds
    double step_time = 0;      // seconds
    uint64_t steps = 0;
    // After the quiet time before the first kill, and at the end.
    Belongings before;
    Belongings after;
  };
  std::vector<Survivor> survivors;
  Survivor coordinator;  // its belongings only
  // Over everybody, newcomers and the later killed too, while they trained and lived.
  double longest_pause = 0;
  int kills = 0;
  // Those that came to train.
  int newcomers = 0;
  double accuracy = 0;
};

// UNAVAILABLE: the swarm did not start, a newcomer could not be started, or a daemon ended that
// nobody killed. CANCELLED: stopped by a signal.
absl::StatusOr<KillSeriesReport> RunKillSeries(const KillSeriesOptions& options,
                                               const StopSignal& stop);

// Trains undisturbed, as fast as it goes, until every peer has made `steps`; the accuracy of the
// average then. The same errors.
absl::StatusOr<double> UndisturbedAccuracy(ChaosSwarm::Options options, uint64_t steps,
                                           const StopSignal& stop);

}  // namespace starling

#endif  // STARLING_TESTS_CHAOS_KILL_SERIES_H_
