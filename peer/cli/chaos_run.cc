#include "peer/cli/chaos_run.h"

#include <numeric>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "peer/cli/chaos_timeline.h"

namespace starling {
namespace {

// Undisturbed training before the event; the last part of it is the baseline.
constexpr absl::Duration kWarmUp = absl::Seconds(8);
constexpr absl::Duration kBaseline = absl::Seconds(4);
constexpr absl::Duration kPoll = absl::Milliseconds(25);
constexpr absl::Duration kEvaluationWait = absl::Seconds(30);
constexpr int kSlowMegabits = 20;
constexpr int kLossPerCent = 10;

std::vector<int> Range(int begin, int end) {
  std::vector<int> range(end - begin);
  std::iota(range.begin(), range.end(), begin);
  return range;
}

class Run {
 public:
  Run(const ChaosSwarm::Options& options, const ChaosEvent& event, const StopSignal& stop)
      : network_(options.network), event_(event), stop_(stop), swarm_(options, &stop),
        victim_(options.demo.peers - 1), half_(options.demo.peers / 2) {}

  absl::StatusOr<ChaosRun> Go() {
    absl::StatusOr<ChaosRun> run = Watch();
    if (network_ != nullptr) {
      if (absl::Status healed = network_->Heal(); !healed.ok() && run.ok()) run = healed;
    }
    swarm_.Stop();
    return run;
  }

 private:
  absl::StatusOr<ChaosRun> Watch() {
    if (absl::Status status = swarm_.Start(); !status.ok()) return status;
    start_ = absl::Now();
    scene_.baseline_at = absl::ToDoubleSeconds(kWarmUp - kBaseline);
    if (absl::Status status = PollUntil(kWarmUp); !status.ok()) return status;

    ExpectOf();
    scene_.event_at = absl::ToDoubleSeconds(absl::Now() - start_);
    if (absl::Status status = Hurt(); !status.ok()) return status;
    scene_.peers = swarm_.peers();
    if (absl::Status status = PollUntil(kWarmUp + event_.lasts); !status.ok()) return status;

    scene_.ended_at = event_.lasts > absl::ZeroDuration()
                          ? absl::ToDoubleSeconds(absl::Now() - start_)
                          : scene_.event_at;
    if (absl::Status status = Relent(); !status.ok()) return status;
    if (absl::Status status = PollUntil(ChaosRunLength(event_)); !status.ok()) return status;

    ChaosRun run;
    run.figures = MeasureChaos(scene_, samples_);
    absl::StatusOr<v1::EvaluateAverageResponse> average = swarm_.EvaluateAverage(kEvaluationWait);
    if (stop_.number() != 0) return absl::CancelledError("stopped by a signal");
    if (!average.ok()) return absl::UnavailableError(average.status().message());
    run.accuracy = average->test_accuracy();
    run.consensus_distance = average->consensus_distance();
    return run;
  }

  absl::Status PollUntil(absl::Duration since_start) {
    const absl::Time end = start_ + since_start;
    while (absl::Now() < end) {
      const absl::Time next = absl::Now() + kPoll;
      samples_.push_back(swarm_.Sample(start_));
      if (std::string failure = swarm_.Failure(); !failure.empty()) {
        return absl::UnavailableError(absl::StrCat(failure, ", which nobody asked for"));
      }
      stop_.Sleep(next - absl::Now());
      if (stop_.number() != 0) return absl::CancelledError("stopped by a signal");
    }
    return absl::OkStatus();
  }

  // Who is hit, and what the others must notice.
  void ExpectOf() {
    const int n = swarm_.peers();
    const bool hits_one = event_.fault == ChaosFault::kKill ||
                          event_.fault == ChaosFault::kFreeze ||
                          event_.fault == ChaosFault::kSlowLink;
    scene_.others = Range(0, hits_one ? victim_ : n);
    scene_.coordinator_counts = event_.fault == ChaosFault::kCoordinatorKill;
    if (event_.fault == ChaosFault::kKill) scene_.gone = {victim_};
    if (event_.fault == ChaosFault::kKill || event_.fault == ChaosFault::kFreeze) {
      for (int other : scene_.others) scene_.cut.emplace_back(other, victim_);
    }
    if (event_.fault == ChaosFault::kPartition) {
      for (int left = 0; left < half_; ++left) {
        for (int right = half_; right < n; ++right) {
          scene_.cut.emplace_back(left, right);
          scene_.cut.emplace_back(right, left);
        }
      }
    }
    if (event_.fault == ChaosFault::kJoin) scene_.newcomer = n;
  }

  absl::Status Hurt() {
    switch (event_.fault) {
      case ChaosFault::kKill: swarm_.Kill(victim_); return absl::OkStatus();
      case ChaosFault::kFreeze: swarm_.Freeze(victim_); return absl::OkStatus();
      case ChaosFault::kPartition:
        // Node 0 is the coordinator's: it stays with the first half.
        return network_->Partition(Range(0, half_ + 1), Range(half_ + 1, swarm_.peers() + 1));
      case ChaosFault::kSlowLink:
        swarm_.LeaveUnasked(victim_, true);
        return network_->SlowDown(victim_ + 1, kSlowMegabits);
      case ChaosFault::kPacketLoss: return network_->LosePackets(kLossPerCent);
      case ChaosFault::kCoordinatorKill: swarm_.KillCoordinator(); return absl::OkStatus();
      case ChaosFault::kJoin: return swarm_.AddPeer();
    }
    return absl::OkStatus();
  }

  absl::Status Relent() {
    switch (event_.fault) {
      case ChaosFault::kKill:
      case ChaosFault::kJoin: return absl::OkStatus();
      case ChaosFault::kFreeze: swarm_.Thaw(victim_); return absl::OkStatus();
      case ChaosFault::kSlowLink: swarm_.LeaveUnasked(victim_, false); return network_->Heal();
      case ChaosFault::kPartition:
      case ChaosFault::kPacketLoss: return network_->Heal();
      case ChaosFault::kCoordinatorKill: return swarm_.RestartCoordinator();
    }
    return absl::OkStatus();
  }

  ChaosNetwork* const network_;
  const ChaosEvent event_;
  const StopSignal& stop_;
  ChaosSwarm swarm_;
  const int victim_;
  const int half_;
  absl::Time start_;
  ChaosScene scene_;
  std::vector<ChaosSample> samples_;
};

}  // namespace

absl::Duration ChaosRunLength(const ChaosEvent& event) {
  return kWarmUp + event.lasts + event.settle;
}

absl::StatusOr<ChaosRun> RunChaosEvent(const ChaosSwarm::Options& options, const ChaosEvent& event,
                                       const StopSignal& stop) {
  return Run(options, event, stop).Go();
}

absl::StatusOr<std::vector<double>> RunUndisturbed(const ChaosSwarm::Options& options,
                                                   const std::vector<absl::Duration>& lengths,
                                                   const StopSignal& stop) {
  ChaosSwarm swarm(options, &stop);
  if (absl::Status status = swarm.Start(); !status.ok()) return status;
  const absl::Time start = absl::Now();
  std::vector<double> accuracies;
  for (absl::Duration length : lengths) {
    stop.Sleep(start + length - absl::Now());
    if (stop.number() != 0) return absl::CancelledError("stopped by a signal");
    if (std::string failure = swarm.Failure(); !failure.empty()) {
      return absl::UnavailableError(absl::StrCat(failure, ", which nobody asked for"));
    }
    absl::StatusOr<v1::EvaluateAverageResponse> average = swarm.EvaluateAverage(kEvaluationWait);
    if (!average.ok()) return absl::UnavailableError(average.status().message());
    accuracies.push_back(average->test_accuracy());
  }
  swarm.Stop();
  return accuracies;
}

}  // namespace starling
