// GossipActor as the one who is asked.

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/gossip/gossip_actor.h"
#include "peer/runtime/failpoint.h"

namespace starling {

absl::optional<FrameFault> GossipActor::OnRequest(Frame frame, std::shared_ptr<ReplyPath> reply) {
  const v1::ShardHeader& header = frame.header;
  const PeerId initiator(header.sender());
  if (algorithm_.mix == nullptr) {
    return FrameFault{v1::REFUSAL_REASON_BAD_REQUEST,
                      absl::StrCat("algorithm \"", algorithm_.name, "\" makes no exchanges")};
  }
  if (frame.payload.empty() == algorithm_.mix->request_has_payload()) {
    return FrameFault{v1::REFUSAL_REASON_WRONG_LENGTH,
                      absl::StrCat("request of algorithm \"", algorithm_.name, "\" ",
                                   frame.payload.empty() ? "came without its payload"
                                                         : "carries a payload that is not asked")};
  }
  MixTerms terms;
  terms.staleness = header.staleness();
  terms.incoming_mass = header.mass();
  if (!(terms.staleness >= 0 && terms.staleness <= 1) ||
      (algorithm_.mix->moves_mass() &&
       !(std::isfinite(terms.incoming_mass) && terms.incoming_mass > 0))) {
    return FrameFault{v1::REFUSAL_REASON_BAD_REQUEST,
                      absl::StrCat("request with staleness ", terms.staleness, " and mass ",
                                   terms.incoming_mass)};
  }
  const Incarnation incarnation = header.sender_incarnation();
  const ExchangeId exchange(header.exchange_id());
  const uint32_t shard = header.shard();
  // What was answered before is never refused: its delta is applied here and belongs to the other.
  switch (ledger_.Judge(initiator, incarnation, exchange, shard)) {
    case ReplyLedger::RequestVerdict::kPending:
    case ReplyLedger::RequestVerdict::kStale:
      return absl::nullopt;
    case ReplyLedger::RequestVerdict::kReplay:
      SendReply(*reply, initiator, exchange, shard, ledger_.replay(initiator, shard));
      return absl::nullopt;
    case ReplyLedger::RequestVerdict::kAnswer:
      break;
  }
  if (!accepting_ || draining_) {
    return FrameFault{v1::REFUSAL_REASON_NOT_TRAINING, "this peer is not training at the moment"};
  }
  if (!in_touch_()) {
    return FrameFault{v1::REFUSAL_REASON_NOT_TRAINING,
                      "this peer stood still, and has not heard yet what became of the swarm"};
  }
  if (absl::optional<std::string> stale = staleness_gate_.Judge(Now(), header)) {
    return FrameFault{v1::REFUSAL_REASON_STALE, *std::move(stale)};
  }
  const bool asking_it = outgoing_ != nullptr ? outgoing_->peer() == initiator : chosen_ == initiator;
  if (asking_it && self_.peer < initiator) {
    return FrameFault{v1::REFUSAL_REASON_CROSSED, "both peers asked each other; ours goes on"};
  }
  if (pending_answers_ >= options_.pending_answers) {
    return FrameFault{v1::REFUSAL_REASON_BUSY,
                      absl::StrCat(pending_answers_, " shards already wait for the trainer")};
  }
  const ExchangeBudget::Answer allowed = budget_.MayAnswer(Now(), header, frame.payload.size());
  if (allowed.refused) return allowed.refused;
  // The lower id's request goes on; nothing of ours was sent yet.
  if (chosen_ == initiator) chosen_.reset();
  ledger_.OnRequest(initiator, incarnation, exchange, shard);
  ++pending_answers_;
  Failpoint("exchange.request_received");
  const bool posted = parameters_->RespondToMix(
      algorithm_.mix, self_.shards.offset(shard), self_.shards.length(shard),
      CodedBytes{frame.payload, header.codec(), frame.peak}, terms, allowed.reply,
      Deliver<MixAnswer>([this, initiator, incarnation, exchange, shard, header,
                          reply = std::move(reply)](MixAnswer answer) {
        --pending_answers_;
        if (!answer.refused.empty()) {
          ledger_.OnAnswerRefused(initiator, incarnation, exchange, shard);
          late_refusal_(header, {v1::REFUSAL_REASON_OUT_OF_SCALE, std::move(answer.refused)},
                        reply.get());
          return;
        }
        Failpoint("exchange.reply_computed");
        counters_.set_shards_answered(counters_.shards_answered() + 1);
        const ReplyLedger::Answered answered =
            ledger_.OnAnswered(initiator, incarnation, exchange, shard, answer);
        if (answered.wanted) SendReply(*reply, initiator, exchange, shard, std::move(answer));
        if (answered.completed && algorithm_.mix->request_has_payload()) {
          NoteDistance(answered.squared_distance);
        }
      }));
  if (!posted) {
    --pending_answers_;
    ledger_.OnAnswerRefused(initiator, incarnation, exchange, shard);
    return FrameFault{v1::REFUSAL_REASON_BUSY, "the trainer's mailbox is full"};
  }
  return absl::nullopt;
}

void GossipActor::SendReply(ReplyPath& path, PeerId initiator, ExchangeId exchange,
                            uint32_t shard, MixAnswer answer) {
  Frame frame;
  StampHeader(self_, shard, frame.header);
  frame.header.set_kind(v1::FRAME_KIND_MIX_REPLY);
  frame.header.set_exchange_id(exchange.value());
  frame.header.set_step(answer.step);
  frame.header.set_retry_after_ms(
      budget_.OnReply(Now(), initiator, exchange, answer.reply.bytes.size()));
  SetPayload(frame, std::move(answer.reply));
  path.Send(std::move(frame));
  Failpoint("exchange.reply_sent");
}

void GossipActor::RepeatReply(const v1::ShardHeader& refusal, ReplyPath& path) {
  const PeerId initiator(refusal.sender());
  const ExchangeId exchange(refusal.exchange_id());
  if (ledger_.Judge(initiator, refusal.sender_incarnation(), exchange, refusal.shard()) ==
      ReplyLedger::RequestVerdict::kReplay) {
    SendReply(path, initiator, exchange, refusal.shard(), ledger_.replay(initiator, refusal.shard()));
  }
}

void GossipActor::OnSettle(const v1::ShardHeader& header) {
  ledger_.OnSettled(PeerId(header.sender()), header.sender_incarnation(),
                    ExchangeId(header.exchange_id()), header.shard(), header.committed());
  Failpoint("exchange.settle_received");
}

}  // namespace starling
