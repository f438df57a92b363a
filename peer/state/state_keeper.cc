#include "peer/codec/registry.h"
#include "peer/state/state_keeper.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/runtime/failpoint.h"
#include "peer/state/state_hash.h"

namespace starling {

StateKeeper::StateKeeper(Executor* control, ParameterOwner* parameters, const FrameIdentity& self,
                         StateKeeperOptions options)
    : Actor(control, /*mailbox_capacity=*/64),
      parameters_(parameters),
      self_(self),
      options_(options),
      live_(control, parameters, self, options.live) {}

void StateKeeper::DropIdle() {
  for (auto copy = copies_.begin(); copy != copies_.end();) {
    copy = Now() - copy->second.used >= options_.idle ? copies_.erase(copy) : std::next(copy);
  }
}

void StateKeeper::ArmSweep() {
  if (sweep_armed_ || copies_.empty()) return;
  sweep_armed_ = true;
  ScheduleAfter(options_.idle, [this] {
    sweep_armed_ = false;
    DropIdle();
    ArmSweep();
  });
}

void StateKeeper::Hold(const v1::HoldState& request,
                       absl::AnyInvocable<void(v1::ControlResponse)> done) {
  AssertHere();
  if (request.live()) {
    live_.Offer(std::move(done));
    return;
  }
  DropIdle();
  for (auto& [id, copy] : copies_) {
    if (Now() - copy.made <= options_.share) {
      copy.used = Now();
      ++copy.holders;
      v1::ControlResponse response;
      *response.mutable_state() = copy.manifest;
      done(std::move(response));
      return;
    }
  }
  auto refuse = [](absl::AnyInvocable<void(v1::ControlResponse)>& answer) {
    v1::ControlResponse response;
    response.mutable_refused()->set_reason(v1::REFUSAL_REASON_BUSY);
    response.mutable_refused()->set_detail("this donor already serves as many newcomers as it may");
    answer(std::move(response));
  };
  if (copies_.size() + pending_ >= options_.copies) {
    refuse(done);
    return;
  }
  ++pending_;
  auto shared_done =
      std::make_shared<absl::AnyInvocable<void(v1::ControlResponse)>>(std::move(done));
  const bool posted = parameters_->TakeSnapshot(
      PlainCodec(),
      Deliver<Snapshot>([this, shared_done](Snapshot snapshot) {
        --pending_;
        const uint64_t id = next_id_++;
        Copy& copy = copies_[id];
        copy.manifest = MakeManifest(self_, id, snapshot);
        copy.snapshot = std::move(snapshot);
        copy.made = copy.used = Now();
        ArmSweep();
        v1::ControlResponse response;
        *response.mutable_state() = copy.manifest;
        (*shared_done)(std::move(response));
      }));
  if (!posted) {
    --pending_;
    refuse(*shared_done);
  }
}

void StateKeeper::Release(uint64_t state_id) {
  AssertHere();
  const auto copy = copies_.find(state_id);
  if (copy != copies_.end() && --copy->second.holders <= 0) copies_.erase(copy);
}

absl::optional<FrameFault> StateKeeper::OnRequest(const Frame& frame,
                                                  std::shared_ptr<ReplyPath> reply) {
  AssertHere();
  if (frame.header.exchange_id() == 0) return live_.OnRequest(frame, std::move(reply));
  const auto copy = copies_.find(frame.header.exchange_id());
  if (copy == copies_.end()) {
    return FrameFault{
        v1::REFUSAL_REASON_UNKNOWN_STATE,
        absl::StrCat("state ", frame.header.exchange_id(), " is no longer held; ask again")};
  }
  copy->second.used = Now();
  const uint32_t shard = frame.header.shard();
  Frame answer;
  StampHeader(self_, shard, answer.header);
  answer.header.set_kind(v1::FRAME_KIND_STATE_REPLY);
  answer.header.set_exchange_id(frame.header.exchange_id());
  answer.header.set_step(copy->second.snapshot.step);
  answer.payload = copy->second.snapshot.values.Slice(self_.shards.offset(shard) * sizeof(float),
                                                      self_.shards.length(shard) * sizeof(float));
  reply->Send(std::move(answer));
  Failpoint("donor.shard_sent");
  return absl::nullopt;
}

}  // namespace starling
