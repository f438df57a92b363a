#include "peer/rounds/reduce_round.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/runtime/check.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

constexpr double kCloseShare = 0.6;

RoundInput Cut(RoundInput input) {
  const size_t even = (input.shards.elements + ReduceRound::kParts - 1) / ReduceRound::kParts;
  input.shards.shard_elements =
      std::min(input.shards.shard_elements, std::max(even, ReduceRound::kLeastPart));
  return input;
}

}  // namespace

PeerId ReduceRound::OwnerOf(const std::vector<PeerId>& members, uint64_t number, uint32_t shard) {
  const Random draw = Random(number).Split(shard);
  PeerId owner;
  uint64_t best = 0;
  for (const PeerId member : members) {
    const uint64_t score = draw.Split(member.value()).Next();
    if (owner == PeerId() || score > best) {
      owner = member;
      best = score;
    }
  }
  return owner;
}

ReduceRound::ReduceRound(uint64_t number, std::vector<PeerId> members, PeerId self,
                         RoundInput input, RoundTimes times, BufferPool* buffers)
    : number_(number),
      self_(self),
      input_(Cut(std::move(input))),
      times_(times),
      clock_(times),
      buffers_(buffers),
      members_(std::move(members)),
      parts_(input_.shards.count()),
      open_parts_(input_.shards.count()),
      loss_(input_.loss) {
  STARLING_CHECK(std::binary_search(members_.begin(), members_.end(), self_));
  STARLING_CHECK(input_.values.size() == input_.shards.elements * sizeof(float));
  for (uint32_t shard = 0; shard < parts_.size(); ++shard) {
    parts_[shard].owner = OwnerOf(members_, number_, shard);
  }
}

SharedBytes ReduceRound::Slice(uint32_t shard) const {
  return input_.values.Slice(input_.shards.offset(shard) * sizeof(float),
                             input_.shards.length(shard) * sizeof(float));
}

void ReduceRound::Contribute(uint32_t shard, Sends* sends) {
  const PeerId owner = parts_[shard].owner;
  if (owner == self_) {
    Owned& owned = owned_[shard];
    owned.reduction.Add(self_, 1, Slice(shard));
    owned.losses[self_] = input_.loss;
    return;
  }
  Send send;
  send.to = owner;
  send.kind = v1::FRAME_KIND_REDUCE;
  send.shard = shard;
  send.values = Slice(shard);
  send.loss = input_.loss;
  sends->push_back(std::move(send));
}

void ReduceRound::CloseWhatIsComplete(Sends* sends) {
  for (const auto& [shard, owned] : owned_) {
    if (owned.reduction.open() && AllIn(owned)) Close(shard, sends);
  }
}

Round::Sends ReduceRound::Begin(absl::Time now) {
  close_at_ = now + kCloseShare * times_.deadline;
  clock_.Begin(now);
  Sends sends;
  for (uint32_t shard = 0; shard < parts_.size(); ++shard) Contribute(shard, &sends);
  CloseWhatIsComplete(&sends);
  return sends;
}

Round::Sends ReduceRound::OnMembers(absl::Time, const std::vector<PeerId>& members) {
  members_ = members;
  Sends sends;
  for (uint32_t shard = 0; shard < parts_.size(); ++shard) {
    Part& part = parts_[shard];
    const PeerId owner = OwnerOf(members_, number_, shard);
    if (!part.open || owner == part.owner) continue;
    part.owner = owner;
    Contribute(shard, &sends);
  }
  CloseWhatIsComplete(&sends);
  return sends;
}

absl::Time ReduceRound::NextWake() const {
  absl::Time next = absl::InfiniteFuture();
  if (!ended()) next = clock_.NextWake();
  for (const auto& [shard, owned] : owned_) {
    if (owned.reduction.open()) next = std::min(next, close_at_);
  }
  return next;
}

Round::Sends ReduceRound::OnTime(absl::Time now) {
  Sends sends;
  if (now >= close_at_) {
    for (const auto& [shard, owned] : owned_) {
      if (owned.reduction.open()) Close(shard, &sends);
    }
  }
  if (ended()) return sends;
  if (clock_.Over(now)) {
    for (uint32_t shard = 0; shard < parts_.size(); ++shard) EndPart(shard, SharedBytes());
    return sends;
  }
  if (clock_.TakeRetry(now)) {
    for (uint32_t shard = 0; shard < parts_.size(); ++shard) {
      if (parts_[shard].open && parts_[shard].owner != self_) Contribute(shard, &sends);
    }
  }
  return sends;
}

bool ReduceRound::AllIn(const Owned& owned) const {
  return std::all_of(members_.begin(), members_.end(), [&](PeerId member) {
    return owned.losses.count(member) > 0 || absent_.count(member) > 0;
  });
}

void ReduceRound::Close(uint32_t shard, Sends* sends) {
  Owned& owned = owned_.at(shard);
  owned.reduction.Close(buffers_);
  if (!owned.reduction.averaged()) {
    EndPart(shard, SharedBytes());
    return;
  }
  for (const PeerId peer : *owned.reduction.contributors()) owned.loss += owned.losses.at(peer);
  owned.loss /= static_cast<double>(owned.reduction.contributors()->size());
  for (const PeerId peer : *owned.reduction.contributors()) {
    if (peer != self_) sends->push_back(MeanFor(peer, shard, owned));
  }
  if (shard == 0) loss_ = owned.loss;
  EndPart(shard, owned.reduction.average());
}

Round::Send ReduceRound::MeanFor(PeerId peer, uint32_t shard, const Owned& owned) const {
  Send send;
  send.to = peer;
  send.kind = v1::FRAME_KIND_AVERAGE;
  send.shard = shard;
  send.values = owned.reduction.average();
  send.loss = owned.loss;
  send.contributors = owned.reduction.contributors();
  return send;
}

void ReduceRound::EndPart(uint32_t shard, SharedBytes mean) {
  Part& part = parts_[shard];
  if (!part.open) return;
  part.open = false;
  part.mean = std::move(mean);
  --open_parts_;
}

Round::Outcome ReduceRound::OnFrame(absl::Time now, const v1::ShardHeader& header,
                                    SharedBytes payload) {
  Outcome outcome;
  outcome.fault = CheckGeometry(input_.shards, header, payload.size(), true);
  if (outcome.fault) return outcome;
  const uint32_t shard = header.shard();
  const PeerId sender(header.sender());
  if (header.kind() == v1::FRAME_KIND_AVERAGE) {
    const auto& names = header.contributors();
    if (sender != parts_[shard].owner ||
        std::find(names.begin(), names.end(), self_.value()) == names.end()) {
      outcome.fault = FrameFault{v1::REFUSAL_REASON_BAD_REQUEST,
                                 absl::StrCat("a mean of shard ", shard,
                                              " that this peer has no part in")};
      return outcome;
    }
    if (parts_[shard].open) {
      if (absl::optional<FrameFault> fault = CheckScale(payload, Slice(shard))) {
        outcome.fault = std::move(fault);
        EndPart(shard, SharedBytes());
        return outcome;
      }
      if (shard == 0) loss_ = header.loss();
      EndPart(shard, std::move(payload));
    }
    return outcome;
  }
  if (header.kind() != v1::FRAME_KIND_REDUCE) {
    outcome.fault = FrameFault{v1::REFUSAL_REASON_BAD_REQUEST, "no frame of a reduction"};
    return outcome;
  }
  const auto found = owned_.find(shard);
  if (found == owned_.end()) return outcome;  // the views differ; it will be sent again
  Owned& owned = found->second;
  if (owned.reduction.open()) {
    outcome.fault = CheckScale(payload, Slice(shard));
    if (outcome.fault) {
      // Nothing better will come of it.
      outcome.sends = OnAbsent(now, sender);
      return outcome;
    }
    owned.reduction.Add(sender, 1, std::move(payload));
    owned.losses.emplace(sender, header.loss());
    if (AllIn(owned)) Close(shard, &outcome.sends);
    return outcome;
  }
  if (owned.reduction.averaged() && owned.reduction.Includes(sender)) {
    outcome.sends.push_back(MeanFor(sender, shard, owned));
    return outcome;
  }
  outcome.fault = FrameFault{v1::REFUSAL_REASON_BAD_REQUEST,
                             absl::StrCat("the mean of shard ", shard, " is formed already")};
  return outcome;
}

Round::Sends ReduceRound::OnAbsent(absl::Time, PeerId peer) {
  Sends sends;
  if (peer == self_) return sends;
  absent_.insert(peer);
  for (uint32_t shard = 0; shard < parts_.size(); ++shard) {
    if (parts_[shard].owner == peer) EndPart(shard, SharedBytes());
  }
  CloseWhatIsComplete(&sends);
  return sends;
}

void ReduceRound::OnBehind(absl::Time now) { close_at_ = std::min(close_at_, now + times_.retry); }

RoundResult ReduceRound::TakeResult() {
  STARLING_CHECK(ended());
  RoundResult result;
  result.mass = input_.mass;
  result.loss = loss_;
  MutableBuffer mixed = buffers_->Take(input_.shards.elements);
  for (uint32_t shard = 0; shard < parts_.size(); ++shard) {
    SharedBytes& mean = parts_[shard].mean;
    if (mean.empty()) ++result.missed;
    const SharedBytes values = mean.empty() ? Slice(shard) : std::move(mean);
    mean = SharedBytes();
    std::memcpy(mixed.floats().data() + input_.shards.offset(shard), values.data(), values.size());
  }
  result.mixed = std::move(mixed).Freeze();
  return result;
}

}  // namespace starling
