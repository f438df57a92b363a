#include "peer/codec/registry.h"
#include "peer/averaging/averaging_actor.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "peer/runtime/check.h"
#include "peer/runtime/effective_value.h"
#include "peer/runtime/failpoint.h"

namespace starling {
namespace {

// The actor is called directly on the control executor; nothing is posted from outside.
constexpr size_t kMailboxCapacity = 64;

void AddRound(const AveragingRound& round, v1::AveragingStatus* status) {
  if (!round.joined()) return;
  status->set_rounds_joined(status->rounds_joined() + 1);
  status->set_shards_applied(status->shards_applied() + round.applied());
  status->set_shards_missed(status->shards_missed() + round.missed());
  if (round.complete()) {
    status->set_rounds_complete(status->rounds_complete() + 1);
  } else if (round.over()) {
    status->set_rounds_partial(status->rounds_partial() + 1);
  }
}

}  // namespace

AveragingActor::AveragingActor(const RoundOptions& options, Deps deps)
    : Actor(deps.control, kMailboxCapacity), options_(options), deps_(std::move(deps)) {
  STARLING_CHECK(options_.Validate().ok());
  STARLING_CHECK(deps_.shards.elements == deps_.parameters->size());
}

absl::Status AveragingActor::OnPlan(const v1::RoundPlan& plan) {
  AssertHere();
  absl::StatusOr<AveragingPlan> parsed = ParsePlan(plan);
  if (!parsed.ok()) return parsed.status();
  if (stopped_ || parsed->key <= newest_) return absl::OkStatus();
  FinishRound();
  newest_ = parsed->key;
  snapshot_step_ = 0;
  began_ = Now();
  completed_ = false;
  planned_deadline_ = parsed->deadline;
  RoundOptions options = options_;
  options.min_retry = std::max(options.min_retry, averaging_time());
  round_ = std::make_unique<AveragingRound>(options, *std::move(parsed), deps_.self, deps_.shards,
                                            deps_.buffers, began_);
  Run(round_->Advance(Now()));
  Failpoint("averaging.planned");
  return absl::OkStatus();
}

absl::optional<FrameFault> AveragingActor::OnFrame(const Frame& frame,
                                                   std::shared_ptr<ReplyPath> reply) {
  AssertHere();
  const v1::ShardHeader& header = frame.header;
  const bool reduce = header.kind() == v1::FRAME_KIND_REDUCE;
  if (!reduce && header.kind() != v1::FRAME_KIND_AVERAGE) {
    return FrameFault{v1::REFUSAL_REASON_BAD_REQUEST,
                      absl::StrCat(v1::FrameKind_Name(header.kind()), " is no part of averaging")};
  }
  if (stopped_) return FrameFault{v1::REFUSAL_REASON_NOT_TRAINING, "leaving the swarm"};
  if (round_ == nullptr) {
    if (absl::optional<FrameFault> fault = CheckRound(header, newest_)) return fault;
    return FrameFault{v1::REFUSAL_REASON_UNKNOWN_ROUND,
                      absl::StrCat(newest_.ToString(), " is over, or has not begun")};
  }
  if (reduce) Failpoint("averaging.contribution_received");
  if (!reduce) Failpoint("averaging.average_received");
  AveragingRound::Outcome outcome = reduce ? round_->OnReduce(Now(), header, frame.payload)
                                           : round_->OnAverage(Now(), header, frame.payload);
  if (reduce && !outcome.fault && reply != nullptr) {
    ways_back_[PeerId(header.sender())] = std::move(reply);
  }
  Run(std::move(outcome.actions));
  return std::move(outcome.fault);
}

void AveragingActor::OnRefusal(const Frame& frame) {
  AssertHere();
  if (round_ != nullptr) Run(round_->OnRefusal(Now(), frame.header));
}

void AveragingActor::Stop() {
  AssertHere();
  stopped_ = true;
  FinishRound();
}

v1::AveragingStatus AveragingActor::Status() const {
  AssertHere();
  v1::AveragingStatus status = finished_rounds_;
  if (round_ != nullptr) AddRound(*round_, &status);
  status.set_last_round(newest_.round);
  return status;
}

// Contributions and averages, each out and in.
ExchangeTerms AveragingActor::Terms() const {
  return {.bytes = 4 * deps_.shards.elements * sizeof(float)};
}

absl::Duration AveragingActor::averaging_time() const { return timing_.deadline(Terms()).transfer; }

std::vector<v1::EffectiveValue> AveragingActor::EffectiveValues() const {
  if (newest_ == RoundKey()) return {};
  return {Effective("averaging deadline", planned_deadline_,
                    absl::StrCat("the coordinator's plan: its configuration, and 2 x the longest transfer of any "
                                 "participant; ours takes ",
                                 ShortText(averaging_time())))};
}

void AveragingActor::Run(Actions actions) {
  // An action that is impossible now goes back to the round, which may answer with more of them.
  for (size_t i = 0; i < actions.size(); ++i) {
    Actions more = std::visit([this](auto& each) { return Do(std::move(each)); }, actions[i]);
    std::move(more.begin(), more.end(), std::back_inserter(actions));
  }
  if (!completed_ && round_->joined() && round_->complete()) {
    completed_ = true;
    timing_.OnCommitted(Now() - began_, Terms().bytes);
  }
  if (round_->over()) {
    FinishRound();
  } else {
    SetTimer();
  }
}

AveragingActor::Actions AveragingActor::Do(AveragingRound::TakeSnapshot) {
  const bool accepted = deps_.parameters->TakeSnapshot(
      PlainCodec(), Deliver<Snapshot>(
      [this, key = newest_](Snapshot snapshot) { OnSnapshot(key, std::move(snapshot)); }));
  return accepted ? Actions() : round_->OnSnapshotRefused(Now());
}

void AveragingActor::OnSnapshot(RoundKey key, Snapshot snapshot) {
  if (round_ == nullptr || key != newest_) return;
  Failpoint("averaging.snapshot_taken");
  snapshot_step_ = snapshot.step;
  Run(round_->OnSnapshot(Now(), std::move(snapshot.values)));
}

AveragingActor::Actions AveragingActor::Do(AveragingRound::SendReduce action) {
  const std::string address = deps_.address_of(action.owner);
  // Not known yet or no more: the repetition will look again.
  if (address.empty()) return {};
  Frame frame = MakeFrame(v1::FRAME_KIND_REDUCE, action.shard, std::move(action.values));
  frame.header.set_weight(action.weight);
  // A frame that the full queue drops is repeated like one that the network lost.
  deps_.transport->SendFrame(address, std::move(frame)).IgnoreError();
  Failpoint("averaging.contribution_sent");
  return {};
}

AveragingActor::Actions AveragingActor::Do(AveragingRound::SendAverage action) {
  Frame frame = MakeFrame(v1::FRAME_KIND_AVERAGE, action.shard, std::move(action.average));
  for (const PeerId contributor : *action.contributors) {
    frame.header.add_contributors(contributor.value());
  }
  // The stream that brought the contribution works through address translation too. If it broke
  // meanwhile, the contributor repeats itself on another one.
  const auto way_back = ways_back_.find(action.contributor);
  if (way_back != ways_back_.end()) {
    way_back->second->Send(std::move(frame));
    Failpoint("averaging.average_sent");
    return {};
  }
  const std::string address = deps_.address_of(action.contributor);
  if (!address.empty()) deps_.transport->SendFrame(address, std::move(frame)).IgnoreError();
  return {};
}

AveragingActor::Actions AveragingActor::Do(AveragingRound::ApplyDisplacement action) {
  const bool accepted = deps_.parameters->ApplyDisplacement(
      deps_.shards.offset(action.shard), action.average, action.snapshot, [] {});
  Failpoint("averaging.displaced");
  return accepted ? Actions() : round_->OnApplyRefused(Now(), std::move(action));
}

Frame AveragingActor::MakeFrame(v1::FrameKind kind, uint32_t shard, SharedBytes payload) const {
  Frame frame;
  v1::ShardHeader& header = frame.header;
  deps_.fill_header(&header);
  header.set_kind(kind);
  header.set_epoch(newest_.epoch);
  header.set_round(newest_.round);
  header.set_shard(shard);
  header.set_shard_count(deps_.shards.count());
  header.set_offset(deps_.shards.offset(shard));
  header.set_elements(deps_.shards.length(shard));
  header.set_step(snapshot_step_);
  frame.payload = std::move(payload);
  return frame;
}

void AveragingActor::SetTimer() {
  const absl::Time wake = round_->NextWake();
  if (wake == timer_at_) return;
  CancelTimer(timer_);
  timer_at_ = wake;
  timer_ = ScheduleAt(wake, [this] {
    timer_ = 0;
    timer_at_ = absl::InfiniteFuture();
    if (round_ != nullptr) Run(round_->Advance(Now()));
  });
}

void AveragingActor::FinishRound() {
  CancelTimer(timer_);
  timer_ = 0;
  timer_at_ = absl::InfiniteFuture();
  if (round_ == nullptr) return;
  round_->End();
  if (round_->joined() && !completed_ && !stopped_) timing_.OnGivenUp();
  AddRound(*round_, &finished_rounds_);
  round_.reset();
  ways_back_.clear();
}

}  // namespace starling
