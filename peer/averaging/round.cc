#include "peer/averaging/round.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/codec/peak.h"
#include "peer/gossip/data_gate.h"
#include "peer/runtime/check.h"

namespace starling {
namespace {

FrameFault BadRequest(std::string detail) {
  return FrameFault{v1::REFUSAL_REASON_BAD_REQUEST, std::move(detail)};
}

absl::optional<FrameFault> CheckScale(const SharedBytes& incoming, const SharedBytes& own) {
  absl::optional<std::string> why = OutOfScale(incoming.floats(), own.floats());
  if (!why) return absl::nullopt;
  return FrameFault{v1::REFUSAL_REASON_OUT_OF_SCALE, *std::move(why)};
}

// Written so that NaN fails too.
bool Between(double value, double low, double high) { return value >= low && value <= high; }

}  // namespace

absl::Status RoundOptions::Validate() const {
  if (!Between(weight, kMinContributionWeight, kMaxContributionWeight)) {
    return absl::InvalidArgumentError(absl::StrCat("weight ", weight, ", must be from ",
                                                   kMinContributionWeight, " to ",
                                                   kMaxContributionWeight));
  }
  if (!Between(contribution_share, 0.01, 0.99)) {
    return absl::InvalidArgumentError(
        absl::StrCat("contribution_share ", contribution_share, ", must be from 0.01 to 0.99"));
  }
  if (!Between(retry_share, 0, 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("retry_share ", retry_share, ", must be from 0 to 1"));
  }
  const std::pair<const char*, absl::Duration> pauses[] = {
      {"min_retry", min_retry},
      {"unknown_round_pause", unknown_round_pause},
      {"busy_trainer_pause", busy_trainer_pause}};
  for (const auto& [name, pause] : pauses) {
    if (pause < absl::Milliseconds(1) || pause > kMaxRoundDeadline) {
      return absl::InvalidArgumentError(absl::StrCat(name, " ", absl::FormatDuration(pause),
                                                     ", must be from 1ms to ",
                                                     absl::FormatDuration(kMaxRoundDeadline)));
    }
  }
  return absl::OkStatus();
}

AveragingRound::AveragingRound(const RoundOptions& options, AveragingPlan plan, PeerId self,
                               ShardMap shards, BufferPool* buffers, absl::Time now)
    : plan_(std::move(plan)),
      self_(self),
      shards_(shards),
      buffers_(buffers),
      weight_(options.weight),
      retry_(std::max(options.min_retry, options.retry_share * plan_.deadline)),
      unknown_round_pause_(options.unknown_round_pause),
      busy_trainer_pause_(options.busy_trainer_pause),
      close_at_(now + options.contribution_share * plan_.deadline),
      deadline_(now + plan_.deadline),
      snapshot_at_(now) {
  STARLING_CHECK(shards_.elements > 0 && shards_.shard_elements > 0);
  joined_ = plan_.participants.size() >= 2 && plan_.IndexOf(self_).has_value();
  if (!joined_) {
    End();
    return;
  }
  parts_.resize(shards_.count());
  for (uint32_t shard = 0; shard < shards_.count(); ++shard) {
    if (plan_.OwnerOf(shard) == self_) owned_[shard];
  }
}

AveragingRound::Actions AveragingRound::Advance(absl::Time now) {
  Actions actions;
  DoWhatIsDue(now, &actions);
  return actions;
}

absl::Time AveragingRound::NextWake() const {
  if (over_) return absl::InfiniteFuture();
  absl::Time next = std::min(deadline_, snapshot_at_);
  if (!closed_) next = std::min(next, close_at_);
  for (const Part& part : parts_) next = std::min(next, part.send_at);
  for (const auto& [shard, postponed] : postponed_) next = std::min(next, postponed.at);
  return next;
}

// Every input passes through here first, so that a timer that is late changes nothing.
void AveragingRound::DoWhatIsDue(absl::Time now, Actions* actions) {
  if (over_) return;
  if (now >= deadline_) {
    End();
    return;
  }
  if (!closed_ && now >= close_at_) {
    closed_ = true;
    snapshot_at_ = absl::InfiniteFuture();
    for (const auto& [shard, reduction] : owned_) {
      if (reduction.open()) Close(shard, actions);
    }
  }
  if (now >= snapshot_at_) {
    snapshot_at_ = absl::InfiniteFuture();
    actions->push_back(TakeSnapshot{});
  }
  for (uint32_t shard = 0; shard < parts_.size(); ++shard) {
    if (now >= parts_[shard].send_at) Send(now, shard, actions);
  }
  for (auto entry = postponed_.begin(); entry != postponed_.end();) {
    if (now < entry->second.at) {
      ++entry;
      continue;
    }
    ++applied_;
    actions->push_back(std::move(entry->second.apply));
    entry = postponed_.erase(entry);
  }
}

AveragingRound::Actions AveragingRound::OnSnapshot(absl::Time now, SharedBytes values) {
  STARLING_CHECK(values.size() == shards_.elements * sizeof(float));
  Actions actions;
  DoWhatIsDue(now, &actions);
  // After the contributions are closed here they are closed, or about to be, everywhere.
  if (over_ || closed_ || contributed_) return actions;
  if (!AllFinite(values.floats().subspan(0, shards_.elements))) return actions;
  contributed_ = true;
  snapshot_ = std::move(values);
  Contribute(now, &actions);
  return actions;
}

// Each participant starts with the shard that follows its own, lest all of them fall upon the first
// owner at once.
void AveragingRound::Contribute(absl::Time now, Actions* actions) {
  const uint32_t count = shards_.count();
  const uint32_t first = static_cast<uint32_t>((*plan_.IndexOf(self_) + 1) % count);
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t shard = (first + i) % count;
    parts_[shard].contributed = true;
    const auto owned = owned_.find(shard);
    if (owned == owned_.end()) {
      Send(now, shard, actions);
      continue;
    }
    // What came before there was anything to compare it with.
    owned->second.Screen(OwnShard(shard).floats());
    owned->second.Add(self_, weight_, OwnShard(shard));
    if (owned->second.contributions() == plan_.participants.size()) Close(shard, actions);
  }
}

AveragingRound::Actions AveragingRound::OnSnapshotRefused(absl::Time now) {
  Actions actions;
  DoWhatIsDue(now, &actions);
  if (!over_ && !closed_) snapshot_at_ = now + busy_trainer_pause_;
  return actions;
}

AveragingRound::Actions AveragingRound::OnApplyRefused(absl::Time now, ApplyDisplacement apply) {
  --applied_;
  if (over_) {
    ++missed_;
    return {};
  }
  const uint32_t shard = apply.shard;
  postponed_[shard] = Postponed{now + busy_trainer_pause_, std::move(apply)};
  Actions actions;
  DoWhatIsDue(now, &actions);
  return actions;
}

AveragingRound::Outcome AveragingRound::OnReduce(absl::Time now, const v1::ShardHeader& header,
                                                 SharedBytes payload) {
  Outcome outcome;
  DoWhatIsDue(now, &outcome.actions);
  outcome.fault = CheckFrame(header, payload.size());
  if (outcome.fault) return outcome;

  const uint32_t shard = header.shard();
  const PeerId sender(header.sender());
  const double weight = header.weight() == 0 ? 1 : header.weight();
  const auto owned = owned_.find(shard);
  if (owned == owned_.end()) {
    outcome.fault = BadRequest(absl::StrCat("shard ", shard, " is reduced by ",
                                            plan_.OwnerOf(shard).ToString(), ", not by ",
                                            self_.ToString()));
    return outcome;
  }
  if (sender == self_ || !plan_.IndexOf(sender)) {
    outcome.fault = BadRequest(absl::StrCat("peer ", sender.ToString(), " has no contribution to ",
                                            plan_.key.ToString()));
    return outcome;
  }
  if (!Between(weight, kMinContributionWeight, kMaxContributionWeight)) {
    outcome.fault = BadRequest(absl::StrCat("weight ", weight, " of a contribution, must be from ",
                                            kMinContributionWeight, " to ",
                                            kMaxContributionWeight));
    return outcome;
  }

  ShardReduction& reduction = owned->second;
  if (reduction.open()) {
    if (contributed_) outcome.fault = CheckScale(payload, OwnShard(shard));
    if (outcome.fault) return outcome;
    reduction.Add(sender, weight, std::move(payload));
    if (reduction.contributions() == plan_.participants.size()) Close(shard, &outcome.actions);
  } else if (reduction.Includes(sender)) {
    outcome.actions.push_back(
        SendAverage{sender, shard, reduction.contributors(), reduction.average()});
  } else {
    outcome.fault = BadRequest(absl::StrCat("shard ", shard, " of ", plan_.key.ToString(),
                                            " was closed before this contribution came"));
  }
  return outcome;
}

AveragingRound::Outcome AveragingRound::OnAverage(absl::Time now, const v1::ShardHeader& header,
                                                  SharedBytes payload) {
  Outcome outcome;
  DoWhatIsDue(now, &outcome.actions);
  outcome.fault = CheckFrame(header, payload.size());
  if (outcome.fault) return outcome;

  const uint32_t shard = header.shard();
  const PeerId sender(header.sender());
  if (sender == self_ || sender != plan_.OwnerOf(shard)) {
    outcome.fault = BadRequest(absl::StrCat("shard ", shard, " is reduced by ",
                                            plan_.OwnerOf(shard).ToString(), ", not by ",
                                            sender.ToString()));
    return outcome;
  }
  const auto& contributors = header.contributors();
  Part& part = parts_[shard];
  if (!part.contributed || std::find(contributors.begin(), contributors.end(), self_.value()) ==
                               contributors.end()) {
    outcome.fault = BadRequest(absl::StrCat("average of shard ", shard, " has no contribution of ",
                                            self_.ToString()));
    return outcome;
  }
  if (part.averaged) return outcome;
  outcome.fault = CheckScale(payload, OwnShard(shard));
  if (outcome.fault) {
    part.send_at = absl::InfiniteFuture();
    return outcome;
  }
  Apply(shard, std::move(payload), &outcome.actions);
  return outcome;
}

AveragingRound::Actions AveragingRound::OnRefusal(absl::Time now, const v1::ShardHeader& header) {
  Actions actions;
  DoWhatIsDue(now, &actions);
  if (over_ || header.refused_kind() != v1::FRAME_KIND_REDUCE ||
      RoundKey{header.epoch(), header.round()} != plan_.key || header.shard() >= parts_.size() ||
      PeerId(header.sender()) != plan_.OwnerOf(header.shard())) {
    return actions;
  }
  Part& part = parts_[header.shard()];
  if (part.send_at == absl::InfiniteFuture()) return actions;  // own, answered, or given up
  switch (header.refusal()) {
    case v1::REFUSAL_REASON_UNKNOWN_ROUND:
      part.send_at = std::min(part.send_at, now + unknown_round_pause_);
      break;
    case v1::REFUSAL_REASON_CORRUPT:
    case v1::REFUSAL_REASON_BUSY:
      break;
    default:
      part.send_at = absl::InfiniteFuture();
  }
  return actions;
}

void AveragingRound::End() {
  if (over_) return;
  over_ = true;
  for (const Part& part : parts_) missed_ += part.contributed && !part.averaged;
  missed_ += postponed_.size();
  parts_.clear();
  owned_.clear();
  postponed_.clear();
  snapshot_ = SharedBytes();
}

void AveragingRound::Send(absl::Time now, uint32_t shard, Actions* actions) {
  parts_[shard].send_at = now + retry_;
  actions->push_back(SendReduce{plan_.OwnerOf(shard), shard, weight_, OwnShard(shard)});
}

void AveragingRound::Close(uint32_t shard, Actions* actions) {
  ShardReduction& reduction = owned_.at(shard);
  reduction.Close(buffers_);
  if (!reduction.averaged()) return;
  for (const PeerId contributor : *reduction.contributors()) {
    if (contributor == self_) continue;
    actions->push_back(
        SendAverage{contributor, shard, reduction.contributors(), reduction.average()});
  }
  if (reduction.Includes(self_)) Apply(shard, reduction.average(), actions);
}

void AveragingRound::Apply(uint32_t shard, SharedBytes average, Actions* actions) {
  Part& part = parts_[shard];
  part.averaged = true;
  part.send_at = absl::InfiniteFuture();
  ++applied_;
  actions->push_back(ApplyDisplacement{shard, std::move(average), OwnShard(shard)});
  if (std::all_of(parts_.begin(), parts_.end(), [](const Part& each) { return each.averaged; })) {
    snapshot_ = SharedBytes();
  }
}

SharedBytes AveragingRound::OwnShard(uint32_t shard) const {
  return snapshot_.Slice(shards_.offset(shard) * sizeof(float),
                         shards_.length(shard) * sizeof(float));
}

// What REDUCE and AVERAGE have in common.
absl::optional<FrameFault> AveragingRound::CheckFrame(const v1::ShardHeader& header,
                                                      size_t bytes) const {
  if (absl::optional<FrameFault> fault = CheckRound(header, plan_.key)) return fault;
  if (over_) {
    return FrameFault{v1::REFUSAL_REASON_UNKNOWN_ROUND,
                      absl::StrCat(plan_.key.ToString(), " is over")};
  }
  const uint32_t shard = header.shard();
  if (header.shard_count() != shards_.count() || shard >= shards_.count() ||
      header.offset() != shards_.offset(shard) || header.elements() != shards_.length(shard) ||
      bytes != shards_.length(shard) * sizeof(float)) {
    return FrameFault{v1::REFUSAL_REASON_WRONG_LENGTH,
                      absl::StrCat("shard ", shard, " of ", header.shard_count(), ", ",
                                   header.elements(), " numbers from ", header.offset(), " in ",
                                   bytes, " bytes, does not fit a model of ", shards_.elements,
                                   " parameters in ", shards_.count(), " shards")};
  }
  return absl::nullopt;
}

}  // namespace starling
