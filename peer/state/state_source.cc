#include "peer/state/state_source.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/gossip/exchange_deadline.h"
#include "peer/runtime/failpoint.h"
#include "peer/state/state_hash.h"

namespace starling {
namespace {

// What a shard takes on the slowest line that is waited for.
absl::Duration SlowestShard(const ShardMap& shards) {
  const size_t elements = std::min(shards.shard_elements, shards.elements);
  return absl::Seconds(static_cast<double>(elements * sizeof(float)) / kSlowestLine);
}

// As the header says, which was checked on arrival; a payload that was copied comes without.
uint64_t HashOf(const Frame& frame) {
  const uint64_t told = frame.header.payload_hash();
  return told != 0 ? told : HashPayload(frame.payload);
}

}  // namespace

StateSource::StateSource(Executor* control, Transport* transport, Owner* owner,
                         const FrameIdentity& self, v1::ControlRequest request_template,
                         PeerId donor, std::string address, bool live,
                         StateSourceOptions options)
    : Actor(control, /*mailbox_capacity=*/64),
      transport_(transport),
      owner_(owner),
      self_(self),
      request_template_(std::move(request_template)),
      donor_(donor),
      address_(std::move(address)),
      live_(live),
      options_(options) {}

void StateSource::Start() {
  AssertHere();
  v1::ControlRequest request = request_template_;
  request.mutable_hold_state()->set_live(live_);
  transport_->Call(address_, std::move(request), options_.patience,
                   Deliver<absl::StatusOr<v1::ControlResponse>>(
                       [this](absl::StatusOr<v1::ControlResponse> response) {
                         if (!ended_) OnHeld(std::move(response));
                       }));
  Failpoint("joining.manifest_asked");
}

std::string StateSource::Name() const {
  return absl::StrCat("donor ", donor_.ToString(), " at ", address_);
}

void StateSource::OnHeld(absl::StatusOr<v1::ControlResponse> response) {
  if (!response.ok()) {
    const absl::StatusCode code = absl::IsDeadlineExceeded(response.status())
                                      ? absl::StatusCode::kDeadlineExceeded
                                      : absl::StatusCode::kUnavailable;
    return Lose(absl::Status(code, absl::StrCat(Name(), ": ", response.status().message())));
  }
  if (response->has_refused()) {
    return Lose(RefusalError(response->refused().reason(), response->refused().detail()));
  }
  if (!response->has_state() || IsLive(response->state()) != live_) {
    return Lose(absl::UnavailableError(absl::StrCat(Name(), " answered without a manifest")));
  }
  Failpoint("joining.manifest_received");
  manifest_ = response->state();
  held_ = true;
  absl::Status fits = CheckManifest(self_, manifest_);
  if (fits.ok()) fits = owner_->OnManifest(*this);
  if (!fits.ok()) return Lose(std::move(fits));
  last_heard_ = Now();
  quiet_ = FirstQuiet();
  RequestMore();
  ArmRetry();
}

absl::Status StateSource::RefusalError(v1::RefusalReason reason, absl::string_view detail) const {
  const bool for_good = reason == v1::REFUSAL_REASON_WRONG_RUN ||
                        reason == v1::REFUSAL_REASON_WRONG_MODEL ||
                        reason == v1::REFUSAL_REASON_WRONG_EPOCH;
  return absl::Status(
      for_good ? absl::StatusCode::kFailedPrecondition : absl::StatusCode::kUnavailable,
      absl::StrCat(Name(), ": ", detail));
}

void StateSource::RequestMore() {
  AssertHere();
  if (ended_ || !held_) return;
  while (asked_.size() < options_.window) {
    const absl::optional<uint32_t> shard = owner_->NextShard(*this);
    if (!shard) return;
    // Nothing was asked of it until now, so it was not silent.
    if (asked_.empty()) last_heard_ = Now();
    asked_.insert(*shard);
    Request(*shard);
  }
}

void StateSource::Request(uint32_t shard) {
  Frame frame;
  StampHeader(self_, shard, frame.header);
  frame.header.set_kind(v1::FRAME_KIND_STATE_REQUEST);
  frame.header.set_exchange_id(manifest_.state_id());
  transport_->SendFrame(address_, std::move(frame)).IgnoreError();
  Failpoint("joining.shard_asked");
}

absl::Duration StateSource::FirstQuiet() const {
  return std::max(options_.retry, SlowestShard(self_.shards) / 4);
}

absl::Duration StateSource::LongestQuiet() const {
  return std::max({options_.retry, options_.patience / 8, 2 * SlowestShard(self_.shards)});
}

absl::Duration StateSource::Patience() const {
  return std::max({options_.patience, options_.patience / 2 + 2 * SlowestShard(self_.shards), 2 * gap_});
}

void StateSource::ArmRetry() {
  ScheduleAt(std::max(last_heard_, last_retry_) + quiet_, [this] {
    if (ended_) return;
    // While shards keep coming the others are under way; asking again would only clog a slow link.
    if (asked_.empty() || Now() < last_heard_ + quiet_) {
      if (asked_.empty()) last_heard_ = Now();
      ArmRetry();
      return;
    }
    if (Now() - last_heard_ >= Patience()) {
      Lose(absl::DeadlineExceededError(absl::StrCat(
          Name(), " sent ", received_, " shards, owes ", asked_.size(), ", and sent nothing for ",
          absl::FormatDuration(absl::Trunc(Patience(), absl::Milliseconds(1))))));
      return;
    }
    for (const uint32_t shard : asked_) Request(shard);
    last_retry_ = Now();
    quiet_ = std::max(quiet_, std::min(2 * quiet_, 2 * SlowestShard(self_.shards)));
    ArmRetry();
  });
}

bool StateSource::OnFrame(const Frame& frame) {
  AssertHere();
  if (ended_ || !held_ || frame.header.exchange_id() != manifest_.state_id() ||
      frame.header.sender() != donor_.value()) {
    return false;
  }
  if (frame.header.kind() == v1::FRAME_KIND_REFUSAL) {
    Lose(RefusalError(frame.header.refusal(), frame.header.detail()));
    return true;
  }
  const uint32_t shard = frame.header.shard();
  if (!live_ && HashOf(frame) != manifest_.shard_hashes(static_cast<int>(shard))) return true;
  gap_ = Now() - last_heard_;
  last_heard_ = Now();
  if (asked_.erase(shard) == 0) return true;
  ++received_;
  Failpoint("joining.shard_received");
  quiet_ = std::clamp(2 * gap_, FirstQuiet(), LongestQuiet());
  if (owner_->OnShard(*this, shard, frame.payload,
                      live_ ? frame.header.step() : manifest_.step())) {
    RequestMore();
  }
  return true;
}

void StateSource::End() {
  AssertHere();
  if (std::exchange(ended_, true) || !held_ || live_) return;
  v1::ControlRequest request = request_template_;
  request.mutable_release_state()->set_state_id(manifest_.state_id());
  transport_->Call(address_, std::move(request), absl::Seconds(2),
                   [](absl::StatusOr<v1::ControlResponse>) {});
}

void StateSource::Lose(absl::Status why) {
  End();
  owner_->OnLost(*this, std::move(why));
}

}  // namespace starling
