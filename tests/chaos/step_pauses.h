// How long step counters stood still. Pure: times are seconds on any one clock.

#ifndef STARLING_TESTS_CHAOS_STEP_PAUSES_H_
#define STARLING_TESTS_CHAOS_STEP_PAUSES_H_

#include <map>

#include "peer/cli/chaos_timeline.h"

namespace starling {

class StepPauses {
 public:
  // No step takes less than `least_step_time`, so several that were made between two looks took up
  // that much of the time, and only the rest can have been a pause. Without it a look that comes late
  // is a pause of everybody.
  explicit StepPauses(double least_step_time = 0) : least_step_time_(least_step_time) {}

  // A peer counts from the first sample in which it trains. One that does not answer stands still.
  void Observe(const ChaosSample& sample);
  // It was killed, or the watch is over: what comes now is not its pause.
  void Forget(int peer, double at);

  // 0 if it never trained.
  double longest(int peer) const;
  // Over all that were ever seen to train.
  double longest() const;
  // Mean time of a step while observed; 0 if there was none.
  double step_time(int peer) const;

 private:
  struct Watch {
    double since = 0;
    uint64_t first_step = 0;
    double moved_at = 0;
    uint64_t step = 0;
    double longest = 0;
    bool over = false;
  };
  const double least_step_time_;
  std::map<int, Watch> watches_;
};

}  // namespace starling

#endif  // STARLING_TESTS_CHAOS_STEP_PAUSES_H_
