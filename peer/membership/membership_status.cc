// What can be seen of Membership.

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "peer/membership/member_states.h"
#include "peer/membership/membership.h"
#include "peer/runtime/effective_value.h"

namespace starling {
namespace {

// More than this share of the members falling silent together is a split network rather than deaths.
constexpr double kSplit = 0.3;
// Members that the coordinator is told of.
constexpr size_t kMostMissing = 256;

}  // namespace

MembershipView Membership::Snapshot() const {
  MembershipView view;
  for (const auto& [id, row] : rows_) {
    if (row.member.state() != v1::PEER_STATE_UNSPECIFIED) {
      const bool trains = row.member.state() == v1::PEER_STATE_ALIVE;
      view.others.push_back(
          {row.member, row.rtt, trains ? row.straggler.Score(last_input_) : 0,
           row.straggler.step_time()});
    }
  }
  return view;
}

bool Membership::seeds_tried() const {
  return std::all_of(seeds_.begin(), seeds_.end(),
                     [](const auto& entry) { return entry.second.tried; });
}

bool Membership::has_untried() const {
  if (shown_[v1::PEER_STATE_UNSPECIFIED] == 0) return false;
  const auto untried = [](const auto& entry) {
    return entry.second.member.state() == v1::PEER_STATE_UNSPECIFIED &&
           entry.second.failure.empty();
  };
  const auto last = rows_.find(untried_);
  if (last != rows_.end() && untried(*last)) return true;
  const auto found = std::find_if(rows_.begin(), rows_.end(), untried);
  if (found != rows_.end()) untried_ = found->first;
  return found != rows_.end();
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

std::vector<PeerId> Membership::Missing() const {
  std::vector<PeerId> missing;
  for (const auto& [id, row] : rows_) {
    const v1::PeerState state = row.member.state();
    if (state != v1::PEER_STATE_SUSPECT && state != v1::PEER_STATE_DEAD) continue;
    if (missing.size() < kMostMissing) missing.push_back(id);
  }
  return missing;
}

void Membership::AddHoldings(Holdings* holdings) const {
  holdings->push_back({"members", rows_.size(), options_.max_members + options_.max_departed});
  holdings->push_back({"pieces of news", rumours_.size(), rows_.size() + 1});
  holdings->push_back({"members looked for", probes_.size(), rows_.size()});
}

std::vector<v1::EffectiveValue> Membership::EffectiveValues() const {
  const std::string preset = absl::StrCat("preset ", options_.preset);
  const std::string health =
      health_.score() == 0 ? ""
                           : absl::StrCat(", times ", 1 + health_.score(), " for local health");
  const size_t count = members();
  return {
      Effective("probe interval", options_.ping_interval, preset),
      Effective("probe timeout", health_.Scale(ping_timeout()),
                absl::StrCat("4 x the 99th percentile of ", round_trips_.count(),
                             " round trips (", ShortText(round_trips_.percentile99()),
                             "), at least the ", ShortText(options_.ping_timeout), " of ", preset,
                             health)),
      Effective("probe ends", health_.Scale(period()),
                absl::StrCat("the interval, at least 5/3 of the timeout", health)),
      Effective("dead after suspicion by many", options_.SuspicionMin(count),
                absl::StrCat(options_.suspicion_multiplier, " intervals x log10 of ", count,
                             " members, at least 1")),
      Effective("dead after suspicion by one", options_.Confirmations(count) == 0
                                                   ? options_.SuspicionMin(count)
                                                   : options_.SuspicionMax(count),
                options_.Confirmations(count) == 0
                    ? std::string("too few members to confirm it")
                    : absl::StrCat(options_.suspicion_spread, " x that")),
  };
}

void Membership::FillStatus(absl::Time now, PeerId id, v1::PeerStatus* status) const {
  const auto found = rows_.find(id);
  if (found == rows_.end()) return;
  const Row& row = found->second;
  status->set_refutations(row.member.refutations());
  if (row.member.state() == v1::PEER_STATE_ALIVE) {
    status->set_straggler_score(row.straggler.Score(now));
  }
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
