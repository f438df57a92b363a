// A round's plan as this room uses it: checked, with strong types. Pure.

#ifndef STARLING_PEER_AVERAGING_PLAN_H_
#define STARLING_PEER_AVERAGING_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "peer/runtime/ids.h"
#include "peer/transport/frame.h"
#include "proto/coordinator.pb.h"

namespace starling {

// Names a round. The epoch is the coordinator's fencing epoch: a restarted coordinator may count
// its rounds anew but never repeats an epoch, so of two keys the greater one is the newer round.
// The default names no round.
struct RoundKey {
  uint64_t epoch = 0;
  uint64_t round = 0;

  friend auto operator<=>(const RoundKey&, const RoundKey&) = default;

  std::string ToString() const;
};

// An AVERAGE frame names its contributors in 8 bytes each; this keeps it far below kMaxHeaderBytes.
inline constexpr int kMaxParticipants = 4096;
inline constexpr absl::Duration kMaxRoundDeadline = absl::Hours(1);

struct AveragingPlan {
  RoundKey key;
  std::vector<PeerId> participants;  // ascending, distinct, not empty
  absl::Duration deadline;           // counted from the arrival of the plan

  PeerId OwnerOf(uint32_t shard) const { return participants[shard % participants.size()]; }
  // Position among the participants; nullopt if it is none of them.
  absl::optional<size_t> IndexOf(PeerId peer) const;
};

// INVALID_ARGUMENT: round 0 of epoch 0, which is none; participants absent, too many, zero,
// repeated or not ascending; deadline not above 0 or beyond kMaxRoundDeadline.
absl::StatusOr<AveragingPlan> ParsePlan(const v1::RoundPlan& plan);

// Whether a REDUCE or AVERAGE frame names `current`, the newest round known here. WRONG_EPOCH for
// an earlier epoch, which will never be right again; UNKNOWN_ROUND for any other round, since the
// plan that the sender follows may still be on its way here.
absl::optional<FrameFault> CheckRound(const v1::ShardHeader& header, RoundKey current);

}  // namespace starling

#endif  // STARLING_PEER_AVERAGING_PLAN_H_
