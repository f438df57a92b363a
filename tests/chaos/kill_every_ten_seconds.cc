// Eight peers train; every ten seconds one gets SIGKILL and another is started. What does that cost
// those who live on, and the model?
//
//     bazel run //tests/chaos:kill_every_ten_seconds -- --minutes=10

#include <algorithm>
#include <cstdio>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "peer/cli/temp_directory.h"
#include "tests/chaos/kill_series.h"

ABSL_FLAG(double, minutes, 10, "from the first kill to the end, 0.5 to 1440");
ABSL_FLAG(int, peers, 8, "at a time, 4 to 64; half of them live through it all");
ABSL_FLAG(absl::Duration, interval, absl::Seconds(10), "from one kill to the next");
ABSL_FLAG(double, pace, 20, "steps per second of each peer; 0 is no limit");
ABSL_FLAG(std::string, data, "fashion_mnist", "data set: fashion_mnist, synthetic");
ABSL_FLAG(uint64_t, seed, 1, "root of every random stream");
ABSL_FLAG(std::string, peerd, "peer/peerd", "path of the peer daemon");
ABSL_FLAG(std::string, coordinatord, "coordinator/coordinatord", "path of the coordinator");

namespace starling {
namespace {

void PrintBelongings(const KillSeriesReport::Survivor& who, const std::string& pauses) {
  std::printf("%-13s%-26s%8.1f MB -> %.1f MB   %3d -> %d fds   %3d -> %d threads\n",
              who.name.c_str(), pauses.c_str(), who.before.resident_bytes / 1e6,
              who.after.resident_bytes / 1e6, who.before.descriptors, who.after.descriptors,
              who.before.threads, who.after.threads);
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "kill_every_ten_seconds: %s\n", std::string(status.message()).c_str());
  return absl::IsCancelled(status) ? 130 : 1;
}

int Main() {
  const double minutes = absl::GetFlag(FLAGS_minutes);
  const absl::Duration interval = absl::GetFlag(FLAGS_interval);
  const int peers = absl::GetFlag(FLAGS_peers);
  if (!(minutes >= 0.5 && minutes <= 1440) || interval < absl::Seconds(1) || peers < 4 ||
      peers > 64) {
    return Fail(absl::InvalidArgumentError("a flag is out of range; see --help"));
  }
  const absl::StatusOr<TempDirectory> temp = TempDirectory::Create("starling-kill-series-");
  if (!temp.ok()) return Fail(temp.status());
  const StopSignal stop;
  KillSeriesOptions options;
  options.swarm = {.demo = {.peers = peers,
                            .algorithm = "elastic_gossip:p=1/4",
                            .data = absl::GetFlag(FLAGS_data),
                            .decay_share = 0,
                            .epochs = 0,
                            .seed = absl::GetFlag(FLAGS_seed),
                            .pace = absl::GetFlag(FLAGS_pace)},
                   .paths = {.peerd = absl::GetFlag(FLAGS_peerd),
                             .coordinatord = absl::GetFlag(FLAGS_coordinatord)},
                   .log_directory = absl::StrCat(temp->path(), "/series"),
                   .work_directory = absl::StrCat(temp->path(), "/series")};
  options.interval = interval;
  options.kills = std::max<int>(1, static_cast<int>(absl::Minutes(minutes) / interval));
  options.say = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
  if (absl::Status made = MakeDirectories(options.swarm.work_directory); !made.ok()) {
    return Fail(made);
  }
  const absl::StatusOr<KillSeriesReport> report = RunKillSeries(options, stop);
  if (!report.ok()) return Fail(report.status());

  std::printf("%d peers, %.3g steps/s each, %d kills, one every %s; %d newcomers came to train\n\n",
              peers, options.swarm.demo.pace, report->kills,
              absl::FormatDuration(interval).c_str(), report->newcomers);
  std::printf("%-13s%-26s%s\n", "lived", "longest pause (step)", "after 15 s -> at the end");
  uint64_t steps = 0;
  for (const KillSeriesReport::Survivor& survivor : report->survivors) {
    PrintBelongings(survivor, absl::StrFormat("%.3f s (%.3f s)", survivor.longest_pause,
                                              survivor.step_time));
    steps = std::max(steps, survivor.steps);
  }
  PrintBelongings(report->coordinator, "");
  std::printf("\nlongest pause of anybody while it lived: %.3f s\n", report->longest_pause);
  std::printf("accuracy of the average after %llu steps: %.4f\n",
              static_cast<unsigned long long>(steps), report->accuracy);
  std::fflush(stdout);

  ChaosSwarm::Options calm = options.swarm;
  calm.work_directory = calm.log_directory = absl::StrCat(temp->path(), "/calm");
  if (absl::Status made = MakeDirectories(calm.work_directory); !made.ok()) return Fail(made);
  const absl::StatusOr<double> undisturbed = UndisturbedAccuracy(calm, steps, stop);
  if (!undisturbed.ok()) return Fail(undisturbed.status());
  std::printf("undisturbed, after as many: %.4f (%+.2f points)\n", *undisturbed,
              100 * (report->accuracy - *undisturbed));
  return 0;
}

}  // namespace
}  // namespace starling

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "kills one of several training peers every ten seconds, starts another, and prints what that "
      "cost the others");
  absl::ParseCommandLine(argc, argv);
  return starling::Main();
}
