#include "coordinator/round_planner.h"

#include <algorithm>

namespace starling {
namespace {

constexpr absl::Duration kLongestRound = absl::Hours(1);

}  // namespace

absl::optional<v1::RoundPlan> RoundPlanner::Tick(absl::Time now, uint64_t epoch,
                                                 const std::vector<v1::Member>& members,
                                                 absl::Duration transfer) {
  const uint64_t period = config_.period_steps();
  if (period == 0) return absl::nullopt;

  v1::RoundPlan plan;
  std::vector<uint64_t> steps;
  for (const v1::Member& member : members) {
    if (member.state() != v1::PEER_STATE_ALIVE) continue;
    plan.add_participants(member.peer_id());
    steps.push_back(member.step());
  }
  if (steps.size() < 2) return absl::nullopt;

  const auto middle = steps.begin() + (steps.size() - 1) / 2;
  std::nth_element(steps.begin(), middle, steps.end());
  const uint64_t median = *middle;
  if (!last_step_.has_value()) last_step_ = median - median % period;
  // Newcomers pulled the median back: count from where the swarm is now.
  last_step_ = std::min(*last_step_, median);
  if (now < open_until_ || median - *last_step_ < period) return absl::nullopt;

  last_step_ = median;
  const absl::Duration deadline =
      std::min(absl::Seconds(config_.deadline_seconds()) + 2 * transfer, kLongestRound);
  open_until_ = now + deadline;
  plan.set_epoch(epoch);
  plan.set_round(++rounds_);
  plan.set_deadline_seconds(absl::ToDoubleSeconds(deadline));
  return plan;
}

}  // namespace starling
