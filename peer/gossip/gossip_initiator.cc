// GossipActor as the one who asks: one exchange at a time, from the snapshot to the last shard.

#include <algorithm>
#include <utility>

#include "peer/codec/registry.h"
#include "peer/gossip/coded_mix.h"
#include "peer/gossip/gossip_actor.h"
#include "peer/gossip/staleness.h"
#include "peer/runtime/check.h"
#include "peer/runtime/failpoint.h"

namespace starling {
namespace {

// Requests are sent again so often.
constexpr int kResends = 2;
// A snapshot is told of in pieces of so many parameters, or of a shard. Up: the first request waits longer; down: more
// messages between the threads.
constexpr size_t kPieceElements = size_t{1} << 18;

}  // namespace

void GossipActor::StartExchange(Choice choice, const std::string& address) {
  const absl::optional<ExchangeBudget::Plan> plan = budget_.Begin(Now(), choice.peer);
  if (!plan) return;
  // A snapshot that stays here is compared with what comes back, and is kept as it is.
  const std::shared_ptr<const Codec>& codec =
      algorithm_.mix->request_has_payload() ? plan->request : PlainCodec();
  if (algorithm_.mix->moves_mass()) {
    snapshot_pending_ = parameters_->GiveSnapshot(
        codec, Deliver<Snapshot>([this, address](Snapshot snapshot) {
          OnSnapshotPart({std::move(snapshot), 0, self_.shards.elements}, address);
        }));
  } else {
    const size_t piece = std::max<size_t>(kPieceElements / self_.shards.shard_elements, 1) *
                         self_.shards.shard_elements;
    snapshot_pending_ = parameters_->StreamSnapshot(
        codec, piece, DeliverEach<SnapshotPart>([this, address](SnapshotPart part) {
          OnSnapshotPart(std::move(part), address);
        }));
  }
  if (!snapshot_pending_) return budget_.OnRequestsSent();
  asked_ = plan->reply;
  chosen_ = choice.peer;
  tether_ = choice.tether;
  Failpoint("exchange.partner_chosen");
}

void GossipActor::OnSnapshotPart(SnapshotPart part, const std::string& address) {
  if (part.failed || part.to == self_.shards.elements) {
    snapshot_pending_ = false;
    budget_.OnRequestsSent();
  }
  // The last shard may be shorter.
  const auto there = part.to == self_.shards.elements
                         ? self_.shards.count()
                         : static_cast<uint32_t>(part.to / self_.shards.shard_elements);
  if (part.from == 0) return BeginExchange(std::move(part.whole), there, address);
  if (outgoing_ == nullptr || outgoing_->id() != filling_) return;
  if (part.failed) return GiveUp();
  for (uint32_t shard : outgoing_->Arrive(there)) SendRequest(shard);
  if (there == self_.shards.count()) Failpoint("exchange.all_requests_sent");
}

void GossipActor::BeginExchange(Snapshot snapshot, uint32_t there, const std::string& address) {
  filling_ = ExchangeId();
  // The world may have changed while the trainer finished its step.
  const bool wanted =
      chosen_ && accepting_ && !draining_ && IsCandidate(*chosen_, address) && in_touch_();
  const bool has_mass = !algorithm_.mix->moves_mass() || !snapshot.masses.empty();
  if (!wanted || !has_mass) {
    for (uint32_t shard = 0; shard < snapshot.masses.size(); ++shard) {
      parameters_->ReturnMass(self_.shards.offset(shard), snapshot.masses[shard]);
    }
    chosen_.reset();
    return;
  }
  staleness_ = algorithm_.staleness_unit == 0
                   ? 0
                   : StalenessOf(last_step_ - last_commit_step_, algorithm_.staleness_unit);
  outgoing_ = std::make_unique<OutgoingExchange>(ExchangeId(next_exchange_++), *chosen_, address,
                                                 std::move(snapshot), self_.shards.count(), there,
                                                 Now());
  filling_ = outgoing_->id();
  chosen_.reset();
  resent_after_break_ = false;
  reply_bytes_ = 0;
  last_reply_ = absl::InfinitePast();
  counters_.set_exchanges_started(counters_.exchanges_started() + 1);
  Failpoint("exchange.snapshot_taken");
  SendRequests();
  if (there == self_.shards.count()) Failpoint("exchange.all_requests_sent");
  ArmTimers();
}

void GossipActor::ReturnMass(uint32_t shard) {
  const std::vector<double>& masses = outgoing_->snapshot().masses;
  if (!masses.empty() && algorithm_.returns_mass) {
    parameters_->ReturnMass(self_.shards.offset(shard), masses[shard]);
  }
}

void GossipActor::SendRequests() {
  for (uint32_t shard : outgoing_->WaitingShards()) SendRequest(shard);
}

void GossipActor::SendRequest(uint32_t shard) {
  Frame frame;
  StampHeader(self_, shard, frame.header);
  frame.header.set_kind(v1::FRAME_KIND_MIX_REQUEST);
  frame.header.set_exchange_id(outgoing_->id().value());
  frame.header.set_step(outgoing_->snapshot().step);
  frame.header.set_staleness(staleness_);
  const auto contact = candidates_.find(outgoing_->peer());
  if (contact != candidates_.end()) {
    frame.header.set_receiver_incarnation(contact->second.incarnation);
  }
  if (asked_ != nullptr) {
    frame.header.set_reply_bytes(static_cast<uint32_t>(asked_->MaxBytes(frame.header.elements())));
  }
  if (!outgoing_->snapshot().masses.empty()) {
    frame.header.set_mass(outgoing_->snapshot().masses[shard]);
  }
  if (algorithm_.mix->request_has_payload()) {
    SetPayload(frame, SnapshotOf(shard));
  }
  // A full queue is like loss: the resend timer or the deadline deals with it.
  transport_->SendFrame(outgoing_->address(), std::move(frame)).IgnoreError();
  Failpoint("exchange.request_sent");
}

CodedBytes GossipActor::SnapshotOf(uint32_t shard) const {
  const Snapshot& snapshot = outgoing_->snapshot();
  const size_t width = FindDecoder(snapshot.codec)->contract().bytes_per_element;
  return {snapshot.values.Slice(self_.shards.offset(shard) * width,
                                self_.shards.length(shard) * width),
          snapshot.codec};
}

void GossipActor::ArmTimers() {
  CancelTimer(resend_timer_);
  CancelTimer(deadline_timer_);
  const ExchangeId exchange = outgoing_->id();
  const PeerId partner = outgoing_->peer();
  const ExchangeDeadline deadline =
      DeadlineOf(TermsWith(candidates_.at(partner)), PastWith(partner), options_.timing);
  ArmResend(deadline.resend_after(), deadline.resend_after(), kResends);
  deadline_timer_ = ScheduleAfter(deadline.after, [this, exchange, partner] {
    if (outgoing_ != nullptr && outgoing_->id() == exchange) {
      TimingOf(partner).OnGivenUp();
      GiveUp();
    }
  });
}

// While replies come, what is not answered yet is on its way.
void GossipActor::ArmResend(absl::Duration wait, absl::Duration patience, int left) {
  resend_timer_ = ScheduleAfter(wait, [this, exchange = outgoing_->id(), patience, left] {
    if (outgoing_ == nullptr || outgoing_->id() != exchange) return;
    if (Now() - last_reply_ < patience / 2) return ArmResend(patience / 2, patience, left);
    SendRequests();
    if (left > 1) ArmResend(patience, patience, left - 1);
  });
}

void GossipActor::GiveUp() {
  for (uint32_t shard : outgoing_->Abandon()) {
    ReturnMass(shard);
    SendSettle(outgoing_->address(), outgoing_->id(), shard, false);
  }
  FinishIfDone();
}

void GossipActor::FinishIfDone() {
  if (outgoing_ != nullptr && outgoing_->finished()) {
    const OutgoingExchange& exchange = *outgoing_;
    if (exchange.committed() > 0) last_commit_step_ = last_step_;
    if (exchange.committed() == exchange.shards()) {
      counters_.set_exchanges_committed(counters_.exchanges_committed() + 1);
      TimingOf(exchange.peer()).OnCommitted(Now() - exchange.started(), RequestBytes() + reply_bytes_);
      all_.OnCommitted(Now() - exchange.started());
      NoteDistance(exchange.squared_distance());
    } else if (exchange.committed() > 0) {
      counters_.set_exchanges_partial(counters_.exchanges_partial() + 1);
      const double share = static_cast<double>(exchange.committed()) / exchange.shards();
      TimingOf(exchange.peer())
          .OnPart(last_reply_ - exchange.started(),
                  static_cast<uint64_t>(share * RequestBytes()) + reply_bytes_);
    } else {
      counters_.set_exchanges_failed(counters_.exchanges_failed() + 1);
    }
    outcomes_.push_back(
        {exchange.id(), exchange.peer(), exchange.address(), exchange.CommittedShards()});
    if (outcomes_.size() > kRemembered) outcomes_.pop_front();
    outgoing_.reset();
    CancelTimer(resend_timer_);
    CancelTimer(deadline_timer_);
  }
  if (outgoing_ == nullptr) ReportDrained();
}

size_t GossipActor::RequestBytes() const {
  return algorithm_.mix->request_has_payload() ? outgoing_->snapshot().values.size() : 0;
}

void GossipActor::OnReply(const Frame& frame) {
  // A reply of another algorithm's shape is none.
  if (algorithm_.mix == nullptr ||
      frame.payload.empty() == algorithm_.mix->reply_has_payload()) {
    return;
  }
  // Nor is one that is too coarse for values.
  if (!frame.payload.empty() && !algorithm_.mix->reply_is_difference() &&
      !CarriesValues(*FindDecoder(frame.header.codec()))) {
    return;
  }
  const ExchangeId exchange(frame.header.exchange_id());
  const uint32_t shard = frame.header.shard();
  if (outgoing_ == nullptr || outgoing_->id() != exchange ||
      outgoing_->peer().value() != frame.header.sender()) {
    for (const Outcome& outcome : outcomes_) {
      if (outcome.exchange == exchange && outcome.peer.value() == frame.header.sender()) {
        SendSettle(outcome.address, exchange, shard, outcome.committed[shard]);
      }
    }
    return;
  }
  switch (outgoing_->OnReply(shard)) {
    case OutgoingExchange::ReplyVerdict::kIgnore:
      return;
    case OutgoingExchange::ReplyVerdict::kRepeatCommitted:
      SendSettle(outgoing_->address(), exchange, shard, true);
      return;
    case OutgoingExchange::ReplyVerdict::kRepeatAbandoned:
      SendSettle(outgoing_->address(), exchange, shard, false);
      return;
    case OutgoingExchange::ReplyVerdict::kApply:
      break;
  }
  Failpoint("exchange.reply_received");
  budget_.OnRetryAfter(Now(), outgoing_->peer(), frame.header.retry_after_ms());
  reply_bytes_ += frame.payload.size();
  last_reply_ = Now();
  const bool posted = parameters_->CommitMix(
      algorithm_.mix, self_.shards.offset(shard), self_.shards.length(shard), SnapshotOf(shard),
      CodedBytes{frame.payload, frame.header.codec(), frame.peak}, MixTerms{.staleness = staleness_}, tether_,
      Deliver<absl::StatusOr<double>>([this, shard, header = frame.header](
                                          const absl::StatusOr<double>& squared_distance) {
        // An exchange does not end while a reply is being applied, so it is still the same one.
        STARLING_CHECK(outgoing_ != nullptr);
        if (!squared_distance.ok()) {
          outgoing_->OnUnusable(shard);
          SendSettle(outgoing_->address(), outgoing_->id(), shard, false);
          FinishIfDone();
          late_refusal_(header,
                        {v1::REFUSAL_REASON_OUT_OF_SCALE,
                         std::string(squared_distance.status().message())},
                        nullptr);
          return;
        }
        Failpoint("exchange.reply_applied");
        outgoing_->OnApplied(shard, *squared_distance);
        counters_.set_shards_committed(counters_.shards_committed() + 1);
        SendSettle(outgoing_->address(), outgoing_->id(), shard, true);
        FinishIfDone();
      }));
  // A full mailbox is like loss: the responder repeats its reply when it is asked again.
  if (!posted) outgoing_->OnApplyRefused(shard);
}

void GossipActor::SendSettle(const std::string& address, ExchangeId exchange, uint32_t shard,
                             bool committed) {
  Frame frame;
  StampHeader(self_, shard, frame.header);
  frame.header.set_kind(v1::FRAME_KIND_SETTLE);
  frame.header.set_exchange_id(exchange.value());
  frame.header.set_committed(committed);
  transport_->SendFrame(address, std::move(frame)).IgnoreError();
  Failpoint("exchange.settle_sent");
}

void GossipActor::OnRefusal(const v1::ShardHeader& header, ReplyPath* path) {
  const bool damaged = header.refusal() == v1::REFUSAL_REASON_CORRUPT;
  if (damaged && header.refused_kind() == v1::FRAME_KIND_MIX_REPLY && path != nullptr) {
    return RepeatReply(header, *path);
  }
  if (header.refused_kind() != v1::FRAME_KIND_MIX_REQUEST || outgoing_ == nullptr ||
      outgoing_->id().value() != header.exchange_id() ||
      outgoing_->peer().value() != header.sender()) {
    return;
  }
  Failpoint("exchange.refusal_received");
  if (damaged) {
    if (outgoing_->OnDamaged(header.shard())) SendRequest(header.shard());
    return;
  }
  budget_.OnRetryAfter(Now(), outgoing_->peer(), header.retry_after_ms());
  if (outgoing_->OnRefusal(header.shard())) {
    ReturnMass(header.shard());
    FinishIfDone();
  }
}

void GossipActor::OnPathBroken(const std::string& address) {
  AssertHere();
  if (outgoing_ == nullptr || outgoing_->address() != address) return;
  if (resent_after_break_) {
    GiveUp();
    return;
  }
  resent_after_break_ = true;
  SendRequests();
}

}  // namespace starling
