// The faults that `starling chaos` knows, one row of the scoreboard each. Pure.

#ifndef STARLING_PEER_CLI_CHAOS_EVENT_H_
#define STARLING_PEER_CLI_CHAOS_EVENT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace starling {

enum class ChaosFault {
  kKill,
  kFreeze,
  kPartition,
  kSlowLink,
  kPacketLoss,
  kCoordinatorKill,
  kJoin,
};

struct ChaosEvent {
  std::string name;   // as in --events
  std::string title;  // "freeze 2 s"
  ChaosFault fault = ChaosFault::kKill;
  // From the event to its end; 0: it is for good.
  absl::Duration lasts;
  // Watched for so long after that.
  absl::Duration settle;

  // The peers need network namespaces of their own.
  bool NeedsNetwork() const {
    return fault == ChaosFault::kPartition || fault == ChaosFault::kSlowLink ||
           fault == ChaosFault::kPacketLoss;
  }
};

// All of them, in the order of the scoreboard. `partition` is how long that one lasts; `patience`,
// 1 or more, stretches the watching for presets that take their time.
std::vector<ChaosEvent> AllChaosEvents(absl::Duration partition, double patience);

// Those of `list`, names parted by commas, in the order of `all`; "all" is all of them.
// INVALID_ARGUMENT: an unknown name, with the nearest known one, or none at all.
absl::StatusOr<std::vector<ChaosEvent>> PickChaosEvents(const std::vector<ChaosEvent>& all,
                                                        absl::string_view list);

// How much longer than with `fast` failures take to be noticed. INVALID_ARGUMENT: no such preset.
absl::StatusOr<double> ChaosPatience(absl::string_view preset);

}  // namespace starling

#endif  // STARLING_PEER_CLI_CHAOS_EVENT_H_
