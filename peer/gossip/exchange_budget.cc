#include "peer/gossip/exchange_budget.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/codec/registry.h"

namespace starling {
namespace {

CodecLadder RequestLadder(const Algorithm& algorithm, const CodecChoice& codecs,
                          const ShardMap& shards) {
  if (algorithm.mix == nullptr || !algorithm.mix->request_has_payload()) return {};
  return {codecs.request, /*values=*/true, shards};
}

CodecLadder ReplyLadder(const Algorithm& algorithm, std::shared_ptr<const Codec> chosen,
                        const ShardMap& shards) {
  if (algorithm.mix == nullptr || !algorithm.mix->reply_has_payload()) return {};
  return {std::move(chosen), /*values=*/!algorithm.mix->reply_is_difference(), shards};
}

}  // namespace

ExchangeBudget::ExchangeBudget(LinkBudget* link, const Algorithm& algorithm,
                               const CodecChoice& codecs, const ShardMap& shards)
    : link_(link),
      chosen_(codecs),
      shards_(shards.count()),
      request_(RequestLadder(algorithm, codecs, shards)),
      reply_(ReplyLadder(algorithm, codecs.reply, shards)),
      asked_(ReplyLadder(algorithm, PlainCodec(), shards)) {}

LinkBudget::Whole ExchangeBudget::WholeExchange(const Algorithm& algorithm,
                                                const CodecChoice& codecs,
                                                const ShardMap& shards) {
  const CodecLadder request = RequestLadder(algorithm, codecs, shards);
  const CodecLadder reply = ReplyLadder(algorithm, codecs.reply, shards);
  // Others may write as they like.
  const uint64_t plain = shards.elements * sizeof(float);
  return {std::max(request.most_bytes(), reply.most_bytes()),
          request.empty() && reply.empty() ? 0 : plain};
}

absl::optional<ExchangeBudget::Plan> ExchangeBudget::Begin(absl::Time now, PeerId partner) {
  if (const auto paused = paused_until_.find(partner); paused != paused_until_.end()) {
    if (now < paused->second) {
      counters_.set_exchanges_put_off(counters_.exchanges_put_off() + 1);
      return absl::nullopt;
    }
    paused_until_.erase(paused);
  }
  if (!Limited()) {
    request_.Reset();
    asked_.Reset();
    own_waits_ = false;
    resume_at_ = now;
    return Plan{chosen_.request, nullptr};
  }
  ForgetOld(now);
  const bool their_turn = own_went_last_ && !reservations_.empty();
  const uint64_t promised = Promised() + (their_turn ? reply_.least_bytes() : 0);
  const bool sends = request_.Choose([&](uint64_t bytes) {
    return link_->WaitFor(now, Direction::kSend, partner, bytes, promised).limit ==
           LinkBudget::Limit::kNone;
  });
  const bool receives = asked_.Choose([&](uint64_t bytes) {
    return link_->WaitFor(now, Direction::kReceive, partner, bytes).limit ==
           LinkBudget::Limit::kNone;
  });
  own_waits_ = !sends;
  if (!sends || !receives) {
    const LinkBudget::Wait send =
        link_->WaitFor(now, Direction::kSend, partner, request_.least_bytes(), promised);
    const LinkBudget::Wait receive =
        link_->WaitFor(now, Direction::kReceive, partner, asked_.least_bytes());
    const bool send_is_longer = send.time >= receive.time;
    NoteReason(send_is_longer ? Direction::kSend : Direction::kReceive,
               send_is_longer ? send : receive);
    resume_at_ = now + std::max(send.time, receive.time);
    counters_.set_exchanges_skipped(counters_.exchanges_skipped() + 1);
    return absl::nullopt;
  }
  resume_at_ = now;
  NoteCoarser(now, Direction::kSend, partner, request_);
  NoteCoarser(now, Direction::kReceive, partner, asked_);
  promised_request_ = request_.bytes();
  own_went_last_ = true;
  if (request_.is_coarser() || asked_.is_coarser()) {
    counters_.set_exchanges_coarser(counters_.exchanges_coarser() + 1);
  }
  return Plan{request_.empty() ? chosen_.request : request_.codec(),
              asked_.is_coarser() ? asked_.codec() : nullptr};
}

void ExchangeBudget::OnRetryAfter(absl::Time now, PeerId partner, uint32_t milliseconds) {
  if (milliseconds == 0) return;
  std::erase_if(paused_until_, [now](const auto& entry) { return entry.second <= now; });
  paused_until_[partner] = now + std::min(absl::Milliseconds(milliseconds), kLongestPause);
}

ExchangeBudget::Answer ExchangeBudget::MayAnswer(absl::Time now, const v1::ShardHeader& header,
                                                 size_t payload_bytes) {
  if (!Limited()) {
    reply_.Reset();
    return {ReplyCodec(header), absl::nullopt};
  }
  ForgetOld(now);
  const PeerId initiator(header.sender());
  const ExchangeId exchange(header.exchange_id());
  const Incarnation incarnation = header.sender_incarnation();
  if (const auto known = answers_.find(initiator);
      known != answers_.end() && known->second.exchange == exchange &&
      known->second.incarnation == incarnation) {
    if (known->second.refused) return Refusal(now, initiator);
    return {ReplyCodec(header), absl::nullopt};
  }
  answers_.erase(initiator);
  reservations_.erase(initiator);
  if (answers_.size() >= kMostAnswers) {
    return {nullptr, FrameFault{v1::REFUSAL_REASON_BUSY,
                                absl::StrCat(kMostAnswers, " exchanges are being answered")}};
  }
  const bool own_turn = own_waits_ && !own_went_last_;
  const uint64_t promised = Promised() + (own_turn ? request_.least_bytes() : 0);
  Promise answer{exchange, incarnation, now + kPromise};
  LinkBudget::Wait wait;
  if (payload_bytes > 0) {
    wait = link_->WaitForCredit(now, Direction::kReceive, initiator, payload_bytes);
  }
  Direction direction = Direction::kReceive;
  if (wait.limit == LinkBudget::Limit::kNone && !reply_.Choose([&](uint64_t bytes) {
        return link_->WaitFor(now, Direction::kSend, initiator, bytes, promised).limit ==
               LinkBudget::Limit::kNone;
      })) {
    direction = Direction::kSend;
    wait = link_->WaitFor(now, direction, initiator, reply_.least_bytes(), promised);
  }
  if (wait.limit != LinkBudget::Limit::kNone) {
    NoteReason(direction, wait);
    counters_.set_exchanges_refused(counters_.exchanges_refused() + 1);
    answer.refused = true;
    answers_.emplace(initiator, answer);
    return Refusal(now, initiator);
  }
  own_went_last_ = false;
  NoteCoarser(now, Direction::kSend, initiator, reply_);
  if (reply_.is_coarser()) counters_.set_exchanges_coarser(counters_.exchanges_coarser() + 1);
  answer.shards_left = shards_;
  answer.shard_bytes = reply_.bytes() / std::max<uint32_t>(1, shards_);
  answers_.emplace(initiator, answer);
  return {ReplyCodec(header), absl::nullopt};
}

uint32_t ExchangeBudget::OnReply(absl::Time now, PeerId initiator, ExchangeId exchange,
                                 size_t payload_bytes) {
  if (!Limited()) return 0;
  const auto known = answers_.find(initiator);
  if (known != answers_.end() && known->second.exchange == exchange && !known->second.refused) {
    if (known->second.shards_left > 0) --known->second.shards_left;
    if (known->second.shards_left == 0) answers_.erase(known);
  }
  const absl::Duration wait = RetryAfter(now, initiator, payload_bytes);
  if (wait <= absl::ZeroDuration()) return 0;
  return static_cast<uint32_t>(absl::ToInt64Milliseconds(std::min(wait, kLongestPause))) + 1;
}

void ExchangeBudget::OnPeerGone(PeerId peer) {
  answers_.erase(peer);
  reservations_.erase(peer);
  paused_until_.erase(peer);
}

void ExchangeBudget::FillStatus(absl::Time now, v1::BudgetStatus* status) const {
  *status = counters_;
  if (link_ == nullptr) return;
  *status->mutable_limits() = link_->limits();
  status->set_sent_last_day(link_->LastDay(now, Direction::kSend));
  status->set_received_last_day(link_->LastDay(now, Direction::kReceive));
  if (!Limited()) return;
  if (request_.is_coarser()) status->set_request_codec(request_.codec()->spec());
  if (reply_.is_coarser()) status->set_reply_codec(reply_.codec()->spec());
  if (asked_.is_coarser()) status->set_asked_codec(asked_.codec()->spec());
  if (resume_at_ > now) status->set_seconds_to_wait(absl::ToDoubleSeconds(resume_at_ - now));
  if (request_.is_coarser() || reply_.is_coarser() || asked_.is_coarser() || resume_at_ > now) {
    status->set_reason(reason_);
  }
}

void ExchangeBudget::ForgetOld(absl::Time now) {
  const auto is_old = [now](const auto& entry) { return entry.second.until <= now; };
  std::erase_if(answers_, is_old);
  std::erase_if(reservations_, is_old);
}

uint64_t ExchangeBudget::Promised() const {
  uint64_t bytes = promised_request_;
  for (const auto& [peer, answer] : answers_) bytes += answer.shards_left * answer.shard_bytes;
  return bytes;
}

const std::shared_ptr<const Codec>& ExchangeBudget::ReplyCodec(
    const v1::ShardHeader& header) const {
  if (reply_.empty()) return chosen_.reply;
  return reply_.AtMost(header.reply_bytes() > 0 ? header.reply_bytes()
                                                : std::numeric_limits<uint64_t>::max(),
                       header.elements());
}

absl::Duration ExchangeBudget::RetryAfter(absl::Time now, PeerId initiator, uint64_t unsent) {
  ForgetOld(now);
  reservations_.erase(initiator);
  uint64_t to_receive = 0;
  uint64_t to_send = Promised() + unsent + (own_waits_ ? request_.least_bytes() : 0);
  for (const auto& [other, reserved] : reservations_) {
    to_receive += reserved.request_bytes;
    to_send += reserved.reply_bytes;
  }
  const uint64_t request = request_.most_bytes();
  const uint64_t reply = reply_.least_bytes();
  const absl::Duration wait =
      std::max(link_->WaitFor(now, Direction::kReceive, initiator, request, to_receive).time,
               link_->WaitFor(now, Direction::kSend, initiator, reply, to_send).time);
  if (wait > absl::ZeroDuration() && reservations_.size() < kMostAnswers) {
    reservations_[initiator] = {request, reply, now + wait + kGrace};
  }
  return wait;
}

ExchangeBudget::Answer ExchangeBudget::Refusal(absl::Time now, PeerId initiator) {
  FrameFault fault{v1::REFUSAL_REASON_BUSY, absl::StrCat("this peer's limit is reached: ", reason_)};
  fault.retry_after = std::min(RetryAfter(now, initiator, 0), kLongestPause);
  return {nullptr, std::move(fault)};
}

void ExchangeBudget::NoteReason(Direction direction, const LinkBudget::Wait& wait) {
  if (wait.limit != LinkBudget::Limit::kNone) reason_ = link_->Describe(direction, wait.limit);
}

void ExchangeBudget::NoteCoarser(absl::Time now, Direction direction, PeerId peer,
                                 const CodecLadder& ladder) {
  if (!ladder.is_coarser()) return;
  NoteReason(direction, link_->WaitFor(now, direction, peer, ladder.finer_bytes(), Promised()));
}

}  // namespace starling
