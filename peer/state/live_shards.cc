#include "peer/state/live_shards.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/runtime/failpoint.h"
#include "peer/state/state_hash.h"

namespace starling {

LiveShards::LiveShards(Executor* control, ParameterOwner* parameters, const FrameIdentity& self,
                       LiveShardsOptions options)
    : Actor(control, /*mailbox_capacity=*/64),
      parameters_(parameters),
      self_(self),
      options_(options) {}

void LiveShards::Offer(absl::AnyInvocable<void(v1::ControlResponse)> done) {
  AssertHere();
  auto shared_done =
      std::make_shared<absl::AnyInvocable<void(v1::ControlResponse)>>(std::move(done));
  // Of no shard: what counts is the step.
  const bool posted =
      parameters_->TakeShard(0, 0, Deliver<Snapshot>([this, shared_done](Snapshot now) {
                               v1::ControlResponse response;
                               *response.mutable_state() =
                                   MakeLiveManifest(self_, now.step, now.samples);
                               (*shared_done)(std::move(response));
                             }));
  if (posted) return;
  v1::ControlResponse response;
  response.mutable_refused()->set_reason(v1::REFUSAL_REASON_BUSY);
  response.mutable_refused()->set_detail("the donor's trainer is too busy to answer");
  (*shared_done)(std::move(response));
}

absl::optional<FrameFault> LiveShards::OnRequest(const Frame& frame,
                                                 std::shared_ptr<ReplyPath> reply) {
  AssertHere();
  const uint64_t newcomer = frame.header.sender();
  const uint32_t asked = frame.header.shard();
  for (Request& request : waiting_) {
    if (request.newcomer != newcomer || request.shard != asked) continue;
    request.reply = std::move(reply);
    return absl::nullopt;
  }
  if (waiting_.size() >= options_.waiting) {
    return FrameFault{v1::REFUSAL_REASON_BUSY,
                      absl::StrCat("this donor already owes newcomers ", waiting_.size(), " shards")};
  }
  waiting_.push_back({newcomer, asked, std::move(reply)});
  Pump();
  return absl::nullopt;
}

void LiveShards::Pump() {
  while (copying_ < options_.at_once && !waiting_.empty()) {
    Request next = std::move(waiting_.front());
    waiting_.pop_front();
    ++copying_;
    const uint32_t shard = next.shard;
    const bool posted = parameters_->TakeShard(
        self_.shards.offset(shard), self_.shards.length(shard),
        Deliver<Snapshot>([this, next = std::move(next)](Snapshot copy) {
          --copying_;
          Frame answer;
          StampHeader(self_, next.shard, answer.header);
          answer.header.set_kind(v1::FRAME_KIND_STATE_REPLY);
          answer.header.set_step(copy.step);
          answer.payload = std::move(copy.values);
          next.reply->Send(std::move(answer));
          Failpoint("donor.shard_sent");
          Pump();
        }));
    // Like loss: the newcomer asks again.
    if (!posted) --copying_;
  }
}

}  // namespace starling
