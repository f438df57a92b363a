#include "peer/gossip/outgoing_exchange.h"

#include "peer/runtime/check.h"

namespace starling {

std::vector<uint32_t> OutgoingExchange::Arrive(uint32_t there) {
  STARLING_CHECK(there <= states_.size());
  std::vector<uint32_t> shards;
  for (; there_ < there; ++there_) shards.push_back(there_);
  return shards;
}

std::vector<uint32_t> OutgoingExchange::WaitingShards() const {
  std::vector<uint32_t> shards;
  for (uint32_t shard = 0; shard < there_; ++shard) {
    if (states_[shard] == ShardState::kWaiting) shards.push_back(shard);
  }
  return shards;
}

OutgoingExchange::ReplyVerdict OutgoingExchange::OnReply(uint32_t shard) {
  STARLING_CHECK(shard < states_.size());
  switch (states_[shard]) {
    case ShardState::kWaiting:
      if (shard >= there_) return ReplyVerdict::kIgnore;
      states_[shard] = ShardState::kApplying;
      --waiting_;
      ++applying_;
      return ReplyVerdict::kApply;
    case ShardState::kApplying:
      return ReplyVerdict::kIgnore;
    case ShardState::kCommitted:
      return ReplyVerdict::kRepeatCommitted;
    case ShardState::kRefused:
    case ShardState::kAbandoned:
      return ReplyVerdict::kRepeatAbandoned;
  }
  return ReplyVerdict::kIgnore;
}

void OutgoingExchange::OnApplied(uint32_t shard, double squared_distance) {
  STARLING_CHECK(shard < states_.size() && states_[shard] == ShardState::kApplying);
  states_[shard] = ShardState::kCommitted;
  --applying_;
  ++committed_;
  squared_distance_ += squared_distance;
}

void OutgoingExchange::OnApplyRefused(uint32_t shard) {
  STARLING_CHECK(shard < states_.size() && states_[shard] == ShardState::kApplying);
  states_[shard] = ShardState::kWaiting;
  --applying_;
  ++waiting_;
}

void OutgoingExchange::OnUnusable(uint32_t shard) {
  STARLING_CHECK(shard < states_.size() && states_[shard] == ShardState::kApplying);
  states_[shard] = ShardState::kAbandoned;
  --applying_;
}

bool OutgoingExchange::OnRefusal(uint32_t shard) {
  STARLING_CHECK(shard < states_.size());
  if (states_[shard] != ShardState::kWaiting || shard >= there_) return false;
  states_[shard] = ShardState::kRefused;
  --waiting_;
  ++refused_;
  return true;
}

bool OutgoingExchange::OnDamaged(uint32_t shard) {
  STARLING_CHECK(shard < states_.size());
  return states_[shard] == ShardState::kWaiting && shard < there_ && damaged_++ < states_.size();
}

std::vector<uint32_t> OutgoingExchange::Abandon() {
  const std::vector<uint32_t> shards = WaitingShards();
  for (ShardState& state : states_) {
    if (state == ShardState::kWaiting) state = ShardState::kAbandoned;
  }
  waiting_ = 0;
  return shards;
}

std::vector<bool> OutgoingExchange::CommittedShards() const {
  std::vector<bool> committed;
  for (ShardState state : states_) committed.push_back(state == ShardState::kCommitted);
  return committed;
}

}  // namespace starling
