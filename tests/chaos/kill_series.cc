#include "tests/chaos/kill_series.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "tests/chaos/step_pauses.h"

namespace starling {
namespace {

constexpr absl::Duration kPoll = absl::Milliseconds(25);
constexpr absl::Duration kEvaluationWait = absl::Seconds(60);

class Series {
 public:
  Series(const KillSeriesOptions& options, const StopSignal& stop)
      : options_(options), stop_(stop), swarm_(options.swarm, &stop),
        survivors_((options.swarm.demo.peers + 1) / 2), next_victim_(survivors_),
        pauses_(options.swarm.demo.pace > 0 ? 1 / options.swarm.demo.pace : 0) {}

  absl::StatusOr<KillSeriesReport> Go() {
    absl::StatusOr<KillSeriesReport> report = Watch();
    swarm_.Stop();
    return report;
  }

 private:
  absl::StatusOr<KillSeriesReport> Watch() {
    if (absl::Status status = swarm_.Start(); !status.ok()) return status;
    start_ = absl::Now();
    KillSeriesReport report;
    if (absl::Status status = PollFor(options_.quiet); !status.ok()) return status;
    for (int peer = 0; peer < survivors_; ++peer) {
      report.survivors.push_back(
          {.name = absl::StrCat("p", peer), .before = BelongingsOf(swarm_.pid(peer))});
    }
    report.coordinator = {.name = "coordinatord",
                          .before = BelongingsOf(swarm_.coordinator_pid())};
    while (report.kills < options_.kills) {
      pauses_.Forget(next_victim_, absl::ToDoubleSeconds(absl::Now() - start_));
      swarm_.Kill(next_victim_);
      ++report.kills;
      Say(absl::StrCat("p", next_victim_, " killed, p", swarm_.peers(),
                       " started; longest pause of a survivor so far ", LongestOfSurvivors(), " s"));
      ++next_victim_;
      if (absl::Status status = swarm_.AddPeer(); !status.ok()) return status;
      const bool last = report.kills == options_.kills;
      if (absl::Status status = PollFor(last ? options_.quiet : options_.interval); !status.ok()) {
        return status;
      }
    }
    Finish(&report);
    absl::StatusOr<v1::EvaluateAverageResponse> average = swarm_.EvaluateAverage(kEvaluationWait);
    if (!average.ok()) return absl::UnavailableError(average.status().message());
    report.accuracy = average->test_accuracy();
    return report;
  }

  void Finish(KillSeriesReport* report) {
    const ChaosSample last = swarm_.Sample(start_);
    for (int peer = 0; peer < survivors_; ++peer) {
      KillSeriesReport::Survivor& survivor = report->survivors[peer];
      survivor.longest_pause = pauses_.longest(peer);
      survivor.step_time = pauses_.step_time(peer);
      survivor.steps = last.peers[peer].step;
      survivor.after = BelongingsOf(swarm_.pid(peer));
    }
    report->coordinator.after = BelongingsOf(swarm_.coordinator_pid());
    report->longest_pause = pauses_.longest();
    for (int peer = options_.swarm.demo.peers; peer < swarm_.peers(); ++peer) {
      report->newcomers += pauses_.step_time(peer) > 0;
    }
  }

  absl::Status PollFor(absl::Duration duration) {
    const absl::Time end = absl::Now() + duration;
    while (absl::Now() < end) {
      const absl::Time next = absl::Now() + kPoll;
      pauses_.Observe(swarm_.Sample(start_));
      if (std::string failure = swarm_.Failure(); !failure.empty()) {
        return absl::UnavailableError(absl::StrCat(failure, ", which nobody asked for"));
      }
      stop_.Sleep(next - absl::Now());
      if (stop_.number() != 0) return absl::CancelledError("stopped by a signal");
    }
    return absl::OkStatus();
  }

  double LongestOfSurvivors() const {
    double longest = 0;
    for (int peer = 0; peer < survivors_; ++peer) {
      longest = std::max(longest, pauses_.longest(peer));
    }
    return longest;
  }

  void Say(const std::string& line) const {
    if (options_.say) options_.say(line);
  }

  const KillSeriesOptions& options_;
  const StopSignal& stop_;
  ChaosSwarm swarm_;
  const int survivors_;
  int next_victim_;
  absl::Time start_;
  StepPauses pauses_;
};

}  // namespace

Belongings BelongingsOf(pid_t pid) {
  Belongings belongings;
  const std::string process = absl::StrCat("/proc/", pid);
  std::ifstream status(process + "/status");
  for (std::string line; std::getline(status, line);) {
    absl::string_view value = line;
    if (absl::ConsumePrefix(&value, "VmRSS:") && absl::ConsumeSuffix(&value, " kB")) {
      int64_t kilobytes = 0;
      if (absl::SimpleAtoi(value, &kilobytes)) belongings.resident_bytes = kilobytes * 1024;
    } else if (absl::ConsumePrefix(&value, "Threads:")) {
      (void)absl::SimpleAtoi(value, &belongings.threads);
    }
  }
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(process + "/fd", error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    ++belongings.descriptors;
  }
  return belongings;
}

absl::StatusOr<KillSeriesReport> RunKillSeries(const KillSeriesOptions& options,
                                               const StopSignal& stop) {
  return Series(options, stop).Go();
}

absl::StatusOr<double> UndisturbedAccuracy(ChaosSwarm::Options options, uint64_t steps,
                                           const StopSignal& stop) {
  options.demo.pace = 0;
  ChaosSwarm swarm(options, &stop);
  if (absl::Status status = swarm.Start(); !status.ok()) return status;
  const auto done = [&] {
    for (const ChaosPeerSample& peer : swarm.Sample(absl::Now()).peers) {
      if (!peer.answered || peer.step < steps) return false;
    }
    return true;
  };
  while (!done()) {
    stop.Sleep(absl::Milliseconds(200));
    if (stop.number() != 0) return absl::CancelledError("stopped by a signal");
    if (std::string failure = swarm.Failure(); !failure.empty()) {
      return absl::UnavailableError(absl::StrCat(failure, ", which nobody asked for"));
    }
  }
  absl::StatusOr<v1::EvaluateAverageResponse> average = swarm.EvaluateAverage(kEvaluationWait);
  swarm.Stop();
  if (!average.ok()) return absl::UnavailableError(average.status().message());
  return average->test_accuracy();
}

}  // namespace starling
