#include "peer/averaging/plan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace starling {

std::string RoundKey::ToString() const {
  return absl::StrCat("round ", round, " of epoch ", epoch);
}

absl::optional<size_t> AveragingPlan::IndexOf(PeerId peer) const {
  const auto found = std::lower_bound(participants.begin(), participants.end(), peer);
  if (found == participants.end() || *found != peer) return absl::nullopt;
  return static_cast<size_t>(found - participants.begin());
}

absl::StatusOr<AveragingPlan> ParsePlan(const v1::RoundPlan& plan) {
  AveragingPlan parsed;
  parsed.key = {plan.epoch(), plan.round()};
  if (parsed.key == RoundKey()) {
    return absl::InvalidArgumentError("plan of round 0 of epoch 0, which names no round");
  }
  if (plan.participants_size() < 1 || plan.participants_size() > kMaxParticipants) {
    return absl::InvalidArgumentError(
        absl::StrCat("plan of ", parsed.key.ToString(), ": ", plan.participants_size(),
                     " participants, must be 1 to ", kMaxParticipants));
  }
  PeerId previous;  // 0, hence below every valid id
  for (const uint64_t id : plan.participants()) {
    if (PeerId(id) <= previous) {
      return absl::InvalidArgumentError(absl::StrCat("plan of ", parsed.key.ToString(),
                                                     ": participant ", PeerId(id).ToString(),
                                                     " is not above the one before it"));
    }
    previous = PeerId(id);
    parsed.participants.push_back(previous);
  }
  parsed.deadline = absl::Seconds(plan.deadline_seconds());
  // Written so that NaN fails too.
  if (!(plan.deadline_seconds() > 0) || !(parsed.deadline > absl::ZeroDuration()) ||
      parsed.deadline > kMaxRoundDeadline) {
    return absl::InvalidArgumentError(absl::StrCat("plan of ", parsed.key.ToString(),
                                                   ": deadline_seconds ", plan.deadline_seconds(),
                                                   ", must be above 0 and at most ",
                                                   absl::ToDoubleSeconds(kMaxRoundDeadline)));
  }
  return parsed;
}

absl::optional<FrameFault> CheckRound(const v1::ShardHeader& header, RoundKey current) {
  const RoundKey named{header.epoch(), header.round()};
  if (named == current) return absl::nullopt;
  if (named.epoch < current.epoch) {
    return FrameFault{v1::REFUSAL_REASON_WRONG_EPOCH,
                      absl::StrCat("frame of ", named.ToString(), ", the newest round here is ",
                                   current.ToString())};
  }
  return FrameFault{v1::REFUSAL_REASON_UNKNOWN_ROUND,
                    absl::StrCat("frame of ", named.ToString(), ", the newest round here is ",
                                 current.ToString())};
}

}  // namespace starling
