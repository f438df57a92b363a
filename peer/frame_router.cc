#include "peer/frame_router.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/runtime/failpoint.h"

namespace starling {
namespace {

// Everyday refusals are part of the protocol; the others mean that something is wrong somewhere.
bool IsEveryday(v1::RefusalReason reason) {
  return reason == v1::REFUSAL_REASON_CROSSED || reason == v1::REFUSAL_REASON_BUSY ||
         reason == v1::REFUSAL_REASON_NOT_TRAINING ||
         reason == v1::REFUSAL_REASON_QUARANTINED ||
         reason == v1::REFUSAL_REASON_UNKNOWN_ROUND || reason == v1::REFUSAL_REASON_UNKNOWN_STATE;
}

// Only of what has the right checksum, so that its sender wrote it so.
bool IsOffence(v1::RefusalReason reason) {
  return reason == v1::REFUSAL_REASON_NON_FINITE || reason == v1::REFUSAL_REASON_OUT_OF_SCALE;
}

bool BringsValues(const Frame& frame) {
  return !frame.payload.empty() || frame.header.kind() == v1::FRAME_KIND_MIX_REQUEST;
}

// The exchange or round that a frame belongs to.
uint64_t DeedOf(const v1::ShardHeader& header) {
  return header.exchange_id() != 0 ? header.exchange_id()
                                   : (header.epoch() << 40) + 2 * header.round() + header.lane();
}

}  // namespace

FrameRouter::FrameRouter(
    const FrameIdentity& self, Actors actors,
    std::function<void(v1::ControlRequest, ControlResponder)> on_control,
    std::function<void(const std::string&, const absl::Status&)> on_path_broken,
    std::function<void(const std::string&)> log, Offences offences)
    : self_(self),
      actors_(actors),
      on_control_(std::move(on_control)),
      on_path_broken_(std::move(on_path_broken)),
      log_(std::move(log)),
      now_(std::move(offences.now)),
      on_quarantine_(std::move(offences.on_quarantine)),
      offences_(offences.options) {}

void FrameRouter::OnFrame(Frame frame, std::shared_ptr<ReplyPath> reply) {
  const v1::ShardHeader header = frame.header;
  if (BringsValues(frame) && offences_.IsQuarantined(now_(), PeerId(header.sender()),
                                                     header.sender_incarnation())) {
    Refuse(header, {v1::REFUSAL_REASON_QUARANTINED, "it sent bad data before"}, reply.get());
    return;
  }
  absl::optional<FrameFault> fault = Admit(self_, header);
  if (!fault) {
    if (header.kind() == v1::FRAME_KIND_REFUSAL) ++refusals_[header.refusal()];
    fault = Dispatch(std::move(frame), reply);
  } else if (header.kind() == v1::FRAME_KIND_REFUSAL) {
    // A refusal by a peer of another run or model carries that peer's identity; it still ends the
    // exchange that it refuses, if it names one of ours.
    ++refusals_[header.refusal()];
    if (header.shard() < self_.shards.count()) Dispatch(std::move(frame), reply);
    return;
  }
  if (fault) Refuse(header, *fault, reply.get());
}

void FrameRouter::Refuse(const v1::ShardHeader& header, const FrameFault& fault, ReplyPath* reply) {
  CountRefused(header, fault.reason, fault.detail);
  // The sender hears of the refusal before it notices the quarantine.
  Reply(header, fault, reply);
  NoteOffence(header, fault.reason, fault.detail);
}

void FrameRouter::Reply(const v1::ShardHeader& header, const FrameFault& fault, ReplyPath* reply) {
  if (reply == nullptr) return;
  // Only what asks for an answer is answered: a refusal of a refusal would never end.
  if (header.kind() == v1::FRAME_KIND_MIX_REQUEST ||
      header.kind() == v1::FRAME_KIND_STATE_REQUEST || header.kind() == v1::FRAME_KIND_REDUCE ||
      header.kind() == v1::FRAME_KIND_NEIGHBOUR_ASK) {
    Frame refusal = MakeRefusal(header, fault.reason, fault.detail);
    refusal.header.set_current_round(fault.current_round);
    refusal.header.set_retry_after_ms(
        static_cast<uint32_t>(absl::Ceil(fault.retry_after, absl::Milliseconds(1)) /
                              absl::Milliseconds(1)));
    refusal.header.set_sender(self_.peer.value());
    refusal.header.set_sender_incarnation(self_.incarnation);
    refusal.header.set_run_id(self_.run.value());
    reply->Send(std::move(refusal));
    Failpoint("exchange.refusal_sent");
  }
}

absl::optional<FrameFault> FrameRouter::Dispatch(Frame frame,
                                                 const std::shared_ptr<ReplyPath>& reply) {
  const bool refusal = frame.header.kind() == v1::FRAME_KIND_REFUSAL;
  switch (refusal ? frame.header.refused_kind() : frame.header.kind()) {
    case v1::FRAME_KIND_MIX_REQUEST:
    case v1::FRAME_KIND_MIX_REPLY:
    case v1::FRAME_KIND_SETTLE:
      return actors_.gossip->OnFrame(std::move(frame), reply);
    case v1::FRAME_KIND_STATE_REQUEST:
      if (refusal) {
        if (!actors_.joiner->OnFrame(frame)) actors_.average_evaluation->OnFrame(frame);
        return absl::nullopt;
      }
      if (!serving_state_) {
        return FrameFault{v1::REFUSAL_REASON_NOT_TRAINING,
                          "this peer has no parameters of its own yet"};
      }
      if (!in_touch_()) {
        return FrameFault{v1::REFUSAL_REASON_NOT_TRAINING,
                          "this peer stood still: its parameters are of before"};
      }
      Failpoint("donor.shard_asked");
      return actors_.keeper->OnRequest(frame, reply);
    case v1::FRAME_KIND_STATE_REPLY:
      if (!actors_.joiner->OnFrame(frame)) actors_.average_evaluation->OnFrame(frame);
      return absl::nullopt;
    case v1::FRAME_KIND_REDUCE:
    case v1::FRAME_KIND_AVERAGE:
      if (frame.header.lane() != v1::ROUND_LANE_ALGORITHM) {
        if (!refusal) return actors_.averaging->OnFrame(frame, reply);
        actors_.averaging->OnRefusal(frame);
        return absl::nullopt;
      }
      [[fallthrough]];
    case v1::FRAME_KIND_NEIGHBOUR_VALUES:
    case v1::FRAME_KIND_NEIGHBOUR_ASK:
      if (!refusal) return actors_.rounds->OnFrame(std::move(frame), reply);
      actors_.rounds->OnRefusal(frame.header);
      return absl::nullopt;
    default:
      return FrameFault{v1::REFUSAL_REASON_BAD_REQUEST, "not a frame that this peer can use"};
  }
}

void FrameRouter::OnFrameRefused(const v1::ShardHeader& header, v1::RefusalReason reason) {
  CountRefused(header, reason, "see the sender's log");
  if (!Admit(self_, header)) NoteOffence(header, reason, "NaN or infinity");
}

void FrameRouter::NoteOffence(const v1::ShardHeader& header, v1::RefusalReason reason,
                              const std::string& detail) {
  if (!IsOffence(reason)) return;
  const PeerId sender(header.sender());
  const absl::optional<Quarantine> quarantine =
      offences_.Note(now_(), sender, header.sender_incarnation(), DeedOf(header), detail);
  if (quarantine) on_quarantine_(sender, *quarantine);
}

void FrameRouter::CountRefused(const v1::ShardHeader& header, v1::RefusalReason reason,
                               const std::string& detail) {
  const uint64_t count = ++refused_[reason];
  // The first of its kind, and then ever more rarely.
  if (!IsEveryday(reason) && (count & (count - 1)) == 0) {
    log_(absl::StrCat("refused a frame of peer ", PeerId(header.sender()).ToString(), ": ",
                      v1::RefusalReason_Name(reason), ": ", detail, " (", count, " so far)"));
  }
}

void FrameRouter::OnControl(v1::ControlRequest request, ControlResponder respond) {
  on_control_(std::move(request), std::move(respond));
}

void FrameRouter::OnPathBroken(const std::string& address, const absl::Status& status) {
  actors_.gossip->OnPathBroken(address);
  on_path_broken_(address, status);
}

void FrameRouter::FillStatus(v1::GossipStatus& status) const {
  status.set_offences(offences_.offences());
  status.set_quarantines(offences_.quarantines());
  for (const auto& [reason, count] : refused_) {
    v1::RefusalCount* entry = status.add_refused();
    entry->set_reason(reason);
    entry->set_count(count);
  }
  for (const auto& [reason, count] : refusals_) {
    v1::RefusalCount* entry = status.add_refusals();
    entry->set_reason(reason);
    entry->set_count(count);
  }
}

}  // namespace starling
