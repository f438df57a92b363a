// What can be seen of Membership.

#include <algorithm>

#include "peer/membership/member_states.h"
#include "peer/membership/membership.h"

namespace starling {
namespace {

// More than this share of the members falling silent together is a split network rather than deaths.
constexpr double kSplit = 0.3;

}  // namespace

MembershipView Membership::Snapshot() const {
  MembershipView view;
  for (const auto& [id, row] : rows_) {
    if (row.member.state() != v1::PEER_STATE_UNSPECIFIED) {
      view.others.push_back({row.member, row.rtt});
    }
  }
  return view;
}

size_t Membership::reachable() const {
  return 1 + std::count_if(rows_.begin(), rows_.end(),
                           [](const auto& entry) { return IsReachable(entry.second.member); });
}

bool Membership::seeds_tried() const {
  return std::all_of(seeds_.begin(), seeds_.end(),
                     [](const auto& entry) { return entry.second.tried; });
}

bool Membership::has_untried() const {
  return std::any_of(rows_.begin(), rows_.end(), [](const auto& entry) {
    return entry.second.member.state() == v1::PEER_STATE_UNSPECIFIED &&
           entry.second.failure.empty();
  });
}

bool Membership::anyone_training() const {
  return std::any_of(rows_.begin(), rows_.end(), [](const auto& entry) {
    return entry.second.member.state() == v1::PEER_STATE_ALIVE;
  });
}

v1::DetectorStatus Membership::Status(absl::Time now) const {
  v1::DetectorStatus status = counters_;
  status.set_health(static_cast<uint32_t>(health_.score()));
  status.set_rumours(static_cast<uint32_t>(rumours_.size()));
  size_t present = 0;
  size_t lost = 0;
  for (const auto& [id, row] : rows_) {
    present += row.verdict == Verdict::kLiving;
    lost += row.verdict == Verdict::kSuspect ||
            (row.verdict == Verdict::kDead &&
             now - row.since < options_.SuspicionMin(members()));
  }
  status.set_partition_suspected(
      lost > 1 && static_cast<double>(lost) > kSplit * static_cast<double>(present + lost));
  return status;
}

void Membership::FillStatus(absl::Time now, PeerId id, v1::PeerStatus* status) const {
  const auto found = rows_.find(id);
  if (found == rows_.end()) return;
  const Row& row = found->second;
  status->set_refutations(row.member.refutations());
  if (row.suspicion) {
    for (const PeerId accuser : row.suspicion->accusers()) {
      status->add_suspecters(accuser.ToString());
    }
  }
  if (row.member.state() == v1::PEER_STATE_QUARANTINED) {
    status->set_quarantined_seconds_left(absl::ToDoubleSeconds(row.quarantined_until - now));
  }
}

}  // namespace starling
