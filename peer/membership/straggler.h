// How unusual a member's silence in training is: the phi-accrual measure (Hayashibara and others, 2004) of the
// time since its last step was heard of, against the times between such news before.
//
//   score = -log10 P(a member like it would be silent for at least this long)
//
// 1 is one in ten, 8 one in a hundred million. The times between are taken as normally distributed, with the
// mean and spread of the last ones, and a spread of at least a quarter of the mean and 100 ms. A measure for people and for
// choosing among peers, never a verdict.
//
// A value; pure.

#ifndef STARLING_PEER_MEMBERSHIP_STRAGGLER_H_
#define STARLING_PEER_MEMBERSHIP_STRAGGLER_H_

#include <cstdint>

#include "absl/time/time.h"
#include "peer/runtime/step_pace.h"

namespace starling {

class Straggler {
 public:
  // Beyond this no difference is told.
  static constexpr double kHighest = 20;

  // It says that it has made so many steps. Fewer than before: it began anew.
  void OnStep(absl::Time now, uint64_t step);

  // It stands still or cannot be heard: the time until the next news says nothing of its pace.
  void Interrupt() { pace_.Interrupt(); }

  // 0 while there is nothing to compare with.
  double Score(absl::Time now) const;

  // How long a step takes it; 0: unknown.
  absl::Duration step_time() const { return pace_.step_time(); }

 private:
  // Share of the newest in the running mean and spread.
  static constexpr double kNewest = 0.1;
  static constexpr int kEnough = 5;

  uint64_t step_ = 0;
  absl::Time last_ = absl::InfinitePast();
  int intervals_ = 0;
  double mean_ = 0;  // seconds
  double variance_ = 0;
  StepPace pace_;
};

}  // namespace starling

#endif  // STARLING_PEER_MEMBERSHIP_STRAGGLER_H_
