#include "peer/rounds/neighbour_round.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/runtime/check.h"

namespace starling {

NeighbourRound::NeighbourRound(std::vector<Links> links, RoundInput input, bool moves_mass,
                               RoundTimes times, BufferPool* buffers)
    : input_(std::move(input)),
      moves_mass_(moves_mass),
      clock_(times),
      buffers_(buffers),
      sources_(links.size()) {
  STARLING_CHECK(links.size() == input_.shards.count());
  STARLING_CHECK(input_.values.size() == input_.shards.elements * sizeof(float));
  for (size_t shard = 0; shard < links.size(); ++shard) {
    for (const auto& [peer, weight] : links[shard].in) {
      sources_[shard][peer].weight = weight;
      ++expected_;
    }
    out_.push_back(std::move(links[shard].out));
  }
}

SharedBytes NeighbourRound::Slice(uint32_t shard) const {
  return input_.values.Slice(input_.shards.offset(shard) * sizeof(float),
                             input_.shards.length(shard) * sizeof(float));
}

Round::Send NeighbourRound::ValuesFor(PeerId peer, uint32_t shard) const {
  Send send;
  send.to = peer;
  send.kind = v1::FRAME_KIND_NEIGHBOUR_VALUES;
  send.shard = shard;
  send.values = Slice(shard);
  send.mass = moves_mass_ ? ShareOf(shard) : 0;
  return send;
}

double NeighbourRound::ShareOf(uint32_t shard) const {
  return input_.mass / static_cast<double>(out_[shard].size() + 1);
}

Round::Sends NeighbourRound::Begin(absl::Time now) {
  clock_.Begin(now);
  Sends sends;
  for (uint32_t shard = 0; shard < out_.size(); ++shard) {
    for (const PeerId peer : out_[shard]) sends.push_back(ValuesFor(peer, shard));
  }
  return sends;
}

absl::Time NeighbourRound::NextWake() const {
  return ended() ? absl::InfiniteFuture() : clock_.NextWake();
}

void NeighbourRound::NoLongerExpect(Source& source) {
  if (!source.expected) return;
  source.expected = false;
  --expected_;
}

Round::Sends NeighbourRound::OnTime(absl::Time now) {
  Sends sends;
  if (ended()) return sends;
  if (clock_.Over(now)) {
    for (auto& shard : sources_) {
      for (auto& [peer, source] : shard) NoLongerExpect(source);
    }
    return sends;
  }
  if (!clock_.TakeRetry(now)) return sends;
  for (uint32_t shard = 0; shard < sources_.size(); ++shard) {
    for (const auto& [peer, source] : sources_[shard]) {
      if (!source.expected) continue;
      Send ask;
      ask.to = peer;
      ask.kind = v1::FRAME_KIND_NEIGHBOUR_ASK;
      ask.shard = shard;
      sends.push_back(std::move(ask));
    }
  }
  return sends;
}

Round::Outcome NeighbourRound::OnFrame(absl::Time, const v1::ShardHeader& header,
                                       SharedBytes payload) {
  Outcome outcome;
  const bool values = header.kind() == v1::FRAME_KIND_NEIGHBOUR_VALUES;
  outcome.fault = CheckGeometry(input_.shards, header, payload.size(), values);
  if (outcome.fault) return outcome;
  const PeerId sender(header.sender());
  if (header.kind() == v1::FRAME_KIND_NEIGHBOUR_ASK) {
    outcome.sends.push_back(ValuesFor(sender, header.shard()));
    return outcome;
  }
  const auto found = sources_[header.shard()].find(sender);
  const bool mass_fits = !moves_mass_ || (std::isfinite(header.mass()) && header.mass() > 0);
  if (!values || found == sources_[header.shard()].end() || !mass_fits) {
    outcome.fault = FrameFault{
        v1::REFUSAL_REASON_BAD_REQUEST,
        absl::StrCat("values of shard ", header.shard(), " by ", sender.ToString(), " with mass ",
                     header.mass(), ", which is no neighbour of this peer in this round")};
    return outcome;
  }
  Source& source = found->second;
  if (source.expected) {
    outcome.fault = CheckScale(payload, Slice(header.shard()));
    if (outcome.fault) {
      NoLongerExpect(source);
      return outcome;
    }
    source.values = std::move(payload);
    source.mass = header.mass();
    NoLongerExpect(source);
  }
  return outcome;
}

Round::Sends NeighbourRound::OnMembers(absl::Time, const std::vector<PeerId>& members) {
  for (auto& shard : sources_) {
    for (auto& [peer, source] : shard) {
      if (!std::binary_search(members.begin(), members.end(), peer)) NoLongerExpect(source);
    }
  }
  // Those whom only the new view makes our neighbours ask for our values.
  return {};
}

Round::Sends NeighbourRound::OnAbsent(absl::Time, PeerId peer) {
  for (auto& shard : sources_) {
    const auto found = shard.find(peer);
    if (found != shard.end()) NoLongerExpect(found->second);
  }
  return {};
}

double NeighbourRound::MixShard(uint32_t shard, absl::Span<float> mixed) const {
  const absl::Span<const float> own = Slice(shard).floats();
  std::memcpy(mixed.data(), own.data(), own.size() * sizeof(float));
  double mass = moves_mass_ ? ShareOf(shard) : 0;
  for (const auto& [peer, source] : sources_[shard]) {
    mass += source.values.empty() ? ShareOf(shard) : source.mass;
  }
  for (const auto& [peer, source] : sources_[shard]) {
    if (source.values.empty()) continue;
    const float weight = static_cast<float>(
        moves_mass_ ? source.mass / mass : source.weight);
    const float* const __restrict theirs = source.values.floats().data();
    float* const __restrict out = mixed.data();
    const float* const __restrict x = own.data();
    for (size_t i = 0; i < mixed.size(); ++i) out[i] += weight * (theirs[i] - x[i]);
  }
  return mass;
}

RoundResult NeighbourRound::TakeResult() {
  STARLING_CHECK(ended());
  RoundResult result;
  result.loss = input_.loss;
  MutableBuffer mixed = buffers_->Take(input_.shards.elements);
  double mass = 0;
  for (uint32_t shard = 0; shard < sources_.size(); ++shard) {
    mass += MixShard(shard, mixed.floats().subspan(input_.shards.offset(shard),
                                                   input_.shards.length(shard)));
    for (auto& [peer, source] : sources_[shard]) {
      if (source.values.empty()) ++result.missed;
      source.values = SharedBytes();
    }
  }
  // Every shard has the same masses; they differ only if some shard was lost on the way.
  result.mass = moves_mass_ ? mass / static_cast<double>(sources_.size()) : input_.mass;
  result.mixed = std::move(mixed).Freeze();
  return result;
}

}  // namespace starling
