// When the next averaging round starts and who takes part: pure.
//
// A round starts when the median member in training has made `period_steps` steps since the last
// round started. The median, because neither one fast nor one stuck peer should set the pace of
// all. Steps are known as of the last heartbeat, so a round starts up to one heartbeat late. The
// first round is due at the next multiple of the period, whether the swarm is new or the
// coordinator was restarted in the middle.
//
// A round may take what the configuration says and twice what its slowest participant needs for nothing but
// its transfers (a 256 MiB model behind 20 Mbit/s: minutes), at most an hour.
//
// One round at a time: the next waits until the deadline of the last. Peers that have finished
// earlier simply train on.

#ifndef STARLING_COORDINATOR_ROUND_PLANNER_H_
#define STARLING_COORDINATOR_ROUND_PLANNER_H_

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "proto/coordinator.pb.h"
#include "proto/peer.pb.h"
#include "proto/run.pb.h"

namespace starling {

class RoundPlanner {
 public:
  // period_steps 0 never plans.
  explicit RoundPlanner(const v1::AveragingConfig& config) : config_(config) {}

  // The round that starts now, if one does. `members` by ascending id; only those that are ALIVE
  // count, and at least two must be. `epoch` is the fencing epoch of this very view. `transfer`: how
  // long the slowest of them says that its part takes.
  absl::optional<v1::RoundPlan> Tick(absl::Time now, uint64_t epoch,
                                     const std::vector<v1::Member>& members,
                                     absl::Duration transfer = absl::ZeroDuration());

  uint64_t rounds_planned() const { return rounds_; }

 private:
  const v1::AveragingConfig config_;
  // Median step when the last round started.
  absl::optional<uint64_t> last_step_;
  absl::Time open_until_ = absl::InfinitePast();
  uint64_t rounds_ = 0;
};

}  // namespace starling

#endif  // STARLING_COORDINATOR_ROUND_PLANNER_H_
