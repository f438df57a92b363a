// A peer's limits, and what they cost at present, as people read them. Pure.

#ifndef STARLING_PEER_CLI_LIMITS_VIEW_H_
#define STARLING_PEER_CLI_LIMITS_VIEW_H_

#include <string>
#include <utility>
#include <vector>

#include "proto/status.pb.h"

namespace starling {

// Names and values: limits and the last day's bytes in each direction; then, if there are limits or were,
// how exchanges are written and how many were not made.
std::vector<std::pair<std::string, std::string>> LimitLines(const v1::BudgetStatus& budget);

// A line for each, aligned.
std::string RenderLimits(const v1::BudgetStatus& budget);

}  // namespace starling

#endif  // STARLING_PEER_CLI_LIMITS_VIEW_H_
