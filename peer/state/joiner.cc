#include "peer/state/joiner.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace starling {

Joiner::Joiner(Executor* control, Transport* transport, BufferPool* pool, const FrameIdentity& self,
               Random random, JoinerOptions options, std::function<void(const std::string&)> log)
    : Actor(control, /*mailbox_capacity=*/64),
      transport_(transport),
      pool_(pool),
      self_(self),
      options_(options),
      log_(std::move(log)),
      random_(random) {}

void Joiner::Start(v1::ControlRequest request_template,
                   absl::AnyInvocable<void(absl::StatusOr<absl::optional<Snapshot>>)> done) {
  AssertHere();
  request_template_ = std::move(request_template);
  done_ = std::move(done);
  ScheduleAfter(options_.settle, [this] {
    settled_ = true;
    Decide();
  });
  Decide();
}

void Joiner::Stop() {
  AssertHere();
  done_ = nullptr;
  fetcher_.reset();
}

void Joiner::OnSwarm(std::map<PeerId, std::string> donors, bool settled) {
  AssertHere();
  if (!donors_.empty() && donors.empty()) patient_until_ = Now() + options_.settle;
  donors_ = std::move(donors);
  settled_ |= settled;
  if (fetcher_ != nullptr && donors_.count(fetcher_->donor()) == 0) {
    // Whoever stops being a donor takes its copy along; ask another.
    ++failures_[fetcher_->donor()];
    ++attempt_;
    fetcher_.reset();
  }
  Decide();
}

void Joiner::Decide() {
  if (!running() || fetcher_ != nullptr || pausing_) return;
  if (donors_.empty()) {
    if (!settled_) return;
    if (Now() >= patient_until_) {
      Finish(absl::optional<Snapshot>());
      return;
    }
    if (!patient_) {
      patient_ = true;
      ScheduleAt(patient_until_, [this] {
        patient_ = false;
        Decide();
      });
    }
    return;
  }
  int fewest = std::numeric_limits<int>::max();
  for (const auto& [donor, address] : donors_) fewest = std::min(fewest, failures_[donor]);
  if (fewest > rounds_failed_) {
    rounds_failed_ = fewest;
    pausing_ = true;
    ScheduleAfter(options_.backoff * (1 << std::min(rounds_failed_ - 1, 4)), [this] {
      pausing_ = false;
      Decide();
    });
    return;
  }
  std::vector<PeerId> best;
  for (const auto& [donor, address] : donors_) {
    if (failures_[donor] == fewest) best.push_back(donor);
  }
  const PeerId donor = best[random_.UniformInt(best.size())];
  Try(donor, donors_.at(donor));
}

void Joiner::Try(PeerId donor, const std::string& address) {
  const uint64_t attempt = ++attempt_;
  fetcher_ = std::make_unique<StateFetcher>(
      executor(), transport_, pool_, self_, request_template_, donor, address, options_.fetch,
      Deliver<absl::StatusOr<Snapshot>>([this, attempt](absl::StatusOr<Snapshot> state) {
        if (attempt == attempt_) OnFetched(std::move(state));
      }));
  fetcher_->Start();
}

void Joiner::OnFetched(absl::StatusOr<Snapshot> state) {
  if (!running() || fetcher_ == nullptr) return;
  const PeerId donor = fetcher_->donor();
  fetcher_.reset();
  if (state.ok()) {
    log_(absl::StrCat("took over the parameters of peer ", donor.ToString(), " at step ",
                      state->step, ", hash verified"));
    Finish(absl::optional<Snapshot>(*std::move(state)));
    return;
  }
  log_(absl::StrCat("state transfer failed: ", state.status().message()));
  if (absl::IsFailedPrecondition(state.status())) {
    Finish(state.status());
    return;
  }
  ++failures_[donor];
  Decide();
}

bool Joiner::OnFrame(const Frame& frame) {
  AssertHere();
  return fetcher_ != nullptr && fetcher_->OnFrame(frame);
}

void Joiner::Finish(absl::StatusOr<absl::optional<Snapshot>> result) {
  auto done = std::move(done_);
  done_ = nullptr;
  fetcher_.reset();
  done(std::move(result));
}

}  // namespace starling
