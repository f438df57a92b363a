#include "peer/state/state_fetcher.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/state/state_hash.h"

namespace starling {

StateFetcher::StateFetcher(Executor* control, Transport* transport, BufferPool* pool,
                           const FrameIdentity& self, v1::ControlRequest request_template,
                           PeerId donor, std::string address, StateFetcherOptions options,
                           absl::AnyInvocable<void(absl::StatusOr<Snapshot>)> done)
    : Actor(control, /*mailbox_capacity=*/64),
      transport_(transport),
      pool_(pool),
      self_(self),
      request_template_(std::move(request_template)),
      donor_(donor),
      address_(std::move(address)),
      options_(options),
      done_(std::move(done)) {}

void StateFetcher::Start() {
  AssertHere();
  v1::ControlRequest request = request_template_;
  request.mutable_hold_state();
  transport_->Call(address_, std::move(request), options_.patience,
                   Deliver<absl::StatusOr<v1::ControlResponse>>(
                       [this](absl::StatusOr<v1::ControlResponse> response) {
                         OnManifest(std::move(response));
                       }));
}

void StateFetcher::OnManifest(absl::StatusOr<v1::ControlResponse> response) {
  if (!response.ok()) {
    Finish(absl::UnavailableError(absl::StrCat("donor ", donor_.ToString(), " at ", address_, ": ",
                                               response.status().message())));
    return;
  }
  if (response->has_refused()) {
    Finish(RefusalError(response->refused().reason(), response->refused().detail()));
    return;
  }
  if (!response->has_state()) {
    Finish(absl::UnavailableError(absl::StrCat("donor ", donor_.ToString(), " at ", address_,
                                               " answered without a manifest")));
    return;
  }
  manifest_ = response->state();
  if (const absl::Status status = CheckManifest(self_, manifest_); !status.ok()) {
    Finish(status);
    return;
  }
  values_ = pool_->Take(self_.shards.elements);
  here_.assign(self_.shards.count(), false);
  last_heard_ = Now();
  quiet_ = options_.retry;
  RequestMore();
  ArmRetry();
}

absl::Status StateFetcher::RefusalError(v1::RefusalReason reason, absl::string_view detail) const {
  const bool for_good = reason == v1::REFUSAL_REASON_WRONG_RUN ||
                        reason == v1::REFUSAL_REASON_WRONG_MODEL ||
                        reason == v1::REFUSAL_REASON_WRONG_EPOCH;
  return absl::Status(
      for_good ? absl::StatusCode::kFailedPrecondition : absl::StatusCode::kUnavailable,
      absl::StrCat("donor ", donor_.ToString(), " at ", address_, ": ", detail));
}

void StateFetcher::RequestMore() {
  while (next_ < here_.size() && next_ - received_ < options_.window) Request(next_++);
}

absl::Duration StateFetcher::LongestQuiet() const {
  return std::max(options_.retry, options_.patience / 8);
}

void StateFetcher::Request(uint32_t shard) {
  Frame frame;
  StampHeader(self_, shard, frame.header);
  frame.header.set_kind(v1::FRAME_KIND_STATE_REQUEST);
  frame.header.set_exchange_id(manifest_.state_id());
  transport_->SendFrame(address_, std::move(frame)).IgnoreError();
}

void StateFetcher::ArmRetry() {
  ScheduleAt(std::max(last_heard_, last_retry_) + quiet_, [this] {
    if (!done_) return;
    // While shards keep coming the others are under way; asking again would only clog a slow link.
    if (Now() < last_heard_ + quiet_) {
      ArmRetry();
      return;
    }
    if (Now() - last_heard_ >= options_.patience) {
      Finish(absl::UnavailableError(absl::StrCat(
          "donor ", donor_.ToString(), " at ", address_, " sent ", received_, " of ", here_.size(),
          " shards and nothing for ", absl::FormatDuration(options_.patience))));
      return;
    }
    for (uint32_t shard = 0; shard < next_; ++shard) {
      if (!here_[shard]) Request(shard);
    }
    last_retry_ = Now();
    ArmRetry();
  });
}

bool StateFetcher::OnFrame(const Frame& frame) {
  AssertHere();
  if (!done_ || manifest_.state_id() == 0 || frame.header.exchange_id() != manifest_.state_id() ||
      frame.header.sender() != donor_.value()) {
    return false;
  }
  if (frame.header.kind() == v1::FRAME_KIND_REFUSAL) {
    Finish(RefusalError(frame.header.refusal(), frame.header.detail()));
    return true;
  }
  const uint32_t shard = frame.header.shard();
  if (frame.header.payload_hash() != manifest_.shard_hashes(shard)) return true;
  const absl::Duration gap = Now() - last_heard_;
  last_heard_ = Now();
  if (here_[shard]) return true;
  std::memcpy(values_.floats().data() + self_.shards.offset(shard), frame.payload.data(),
              frame.payload.size());
  here_[shard] = true;
  ++received_;
  quiet_ = std::clamp(2 * gap, options_.retry, LongestQuiet());
  if (received_ < here_.size()) {
    RequestMore();
    return true;
  }
  SharedBytes values = std::move(values_).Freeze();
  if (!MatchesManifest(manifest_, values)) {
    Finish(absl::DataLossError(absl::StrCat("parameters from donor ", donor_.ToString(), " at ",
                                            address_, " do not match their hash")));
    return true;
  }
  Finish(Snapshot{std::move(values), manifest_.step(), manifest_.samples()});
  return true;
}

void StateFetcher::Finish(absl::StatusOr<Snapshot> result) {
  if (!done_) return;
  auto done = std::move(done_);
  done_ = nullptr;
  if (manifest_.state_id() != 0) {
    v1::ControlRequest request = request_template_;
    request.mutable_release_state()->set_state_id(manifest_.state_id());
    transport_->Call(address_, std::move(request), absl::Seconds(2),
                     [](absl::StatusOr<v1::ControlResponse>) {});
  }
  done(std::move(result));
}

}  // namespace starling
