// When a worker starts an exchange: a decision at each of its local steps.

#ifndef STARLING_PEER_GOSSIP_SCHEDULE_H_
#define STARLING_PEER_GOSSIP_SCHEDULE_H_

#include <cstdint>
#include <memory>

#include "peer/runtime/random.h"

namespace starling {

// Stateless: a pure function of the step and the random numbers drawn.
class Schedule {
 public:
  virtual ~Schedule() = default;
  // Asked once for each step, in order.
  virtual bool Triggers(uint64_t step, Random& random) const = 0;
};

std::unique_ptr<Schedule> MakeNever();

// Every `period` steps (> 0) a coin with probability p in (0, 1].
std::unique_ptr<Schedule> MakePeriodicCoin(uint64_t period, double p);

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_SCHEDULE_H_
