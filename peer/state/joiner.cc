#include "peer/state/joiner.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "peer/runtime/failpoint.h"

namespace starling {

Joiner::Joiner(Executor* control, Transport* transport, BufferPool* pool, const FrameIdentity& self,
               Random random, JoinerOptions options, std::function<void(const std::string&)> log)
    : Actor(control, /*mailbox_capacity=*/64),
      transport_(transport),
      pool_(pool),
      self_(self),
      options_(options),
      log_(std::move(log)),
      random_(random),
      patience_(options.source.patience) {}

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

void Joiner::OnSwarm(std::map<PeerId, Donor> donors, bool settled) {
  AssertHere();
  if (!donors_.empty() && donors.empty()) patient_until_ = Now() + options_.settle;
  donors_ = std::move(donors);
  settled_ |= settled;
  if (fetcher_ != nullptr) {
    // Whoever stops being a donor takes its copy along; ask another.
    for (const PeerId donor : fetcher_->donors()) {
      if (donors_.count(donor) > 0) continue;
      ++failures_[donor];
      given_.erase(donor);
      fetcher_->RemoveDonor(donor);
    }
  }
  Decide();
}

void Joiner::Decide() {
  if (!running() || pausing_) return;
  if (donors_.empty()) return DecideWithoutDonors();
  if (fetcher_ == nullptr || fetcher_->sources() == 0) {
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
  }
  AddDonors(rounds_failed_);
}

void Joiner::DecideWithoutDonors() {
  if (!settled_) return;
  if (Now() >= patient_until_) {
    Finish(absl::optional<Snapshot>());
    return;
  }
  if (patient_) return;
  patient_ = true;
  ScheduleAt(patient_until_, [this] {
    patient_ = false;
    Decide();
  });
}

void Joiner::AddDonors(int failures) {
  if (fetcher_ == nullptr) {
    StateFetcher::Events events;
    events.on_lost = [this](PeerId donor, absl::Status why) {
      PostOwn([this, donor, why = std::move(why)] { OnLost(donor, why); });
    };
    events.on_done = Deliver<FetchedState>([this](FetchedState state) {
      OnFetched(std::move(state));
    });
    fetcher_ = std::make_unique<StateFetcher>(executor(), transport_, pool_, self_,
                                              request_template_, options_.mode, options_.source,
                                              std::move(events));
  }
  if (fetcher_->done()) return;
  const size_t most = options_.mode == FetchMode::kPatchwork ? options_.donors : 1;
  std::vector<PeerId> free;
  for (const auto& [donor, address] : donors_) {
    if (failures_[donor] <= failures && !fetcher_->Uses(donor)) free.push_back(donor);
  }
  while (fetcher_->sources() < most && !free.empty()) {
    const auto chosen = free.begin() + static_cast<std::ptrdiff_t>(random_.UniformInt(free.size()));
    const Donor& donor = donors_.at(*chosen);
    given_[*chosen] = PatienceWith(donor);
    fetcher_->AddDonor(*chosen, donor.address, given_[*chosen]);
    free.erase(chosen);
  }
}

absl::Duration Joiner::PatienceWith(const Donor& donor) const {
  const absl::Duration two_steps = options_.source.patience / 2 + 2 * donor.step_time;
  return std::min(std::max(patience_, two_steps), options_.longest_patience);
}

void Joiner::OnLost(PeerId donor, absl::Status why) {
  if (!running() || fetcher_ == nullptr) return;
  log_(absl::StrCat("state transfer: ", why.message()));
  if (absl::IsFailedPrecondition(why)) {
    Finish(why);
    return;
  }
  if (absl::IsDeadlineExceeded(why)) {
    patience_ = std::min(std::max(patience_, 2 * given_[donor]), options_.longest_patience);
  }
  given_.erase(donor);
  ++failures_[donor];
  Decide();
}

void Joiner::OnFetched(FetchedState state) {
  if (!running()) return;
  Failpoint("joining.copy_complete");
  std::vector<std::string> donors;
  for (const auto& [donor, shards] : state.donors) {
    donors.push_back(state.donors.size() == 1
                         ? donor.ToString()
                         : absl::StrCat(donor.ToString(), " (", shards, " shards)"));
  }
  log_(absl::StrCat("took over the parameters of peer", donors.size() == 1 ? " " : "s ",
                    absl::StrJoin(donors, ", "), " at step ", state.snapshot.step,
                    ", hashes verified"));
  Finish(absl::optional<Snapshot>(std::move(state.snapshot)));
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
