// Prints how soon a vanished member is noticed, how often a living one is given up, and what a pause
// costs: the tables of docs/recovery.md.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "peer/runtime/exit_codes.h"
#include "peer/runtime/random.h"
#include "tests/sim/detection.h"

ABSL_FLAG(int, runs, 100, "swarms for each row of the table of times");
ABSL_FLAG(double, node_hours, 20, "virtual node-hours for each cell of the tables of false deaths");
ABSL_FLAG(std::vector<std::string>, losses,
          (std::vector<std::string>{"0.01", "0.05", "0.1", "0.15", "0.2", "0.3"}),
          "shares of datagrams lost: the columns of the table of false deaths by loss");
ABSL_FLAG(std::vector<std::string>, members, (std::vector<std::string>{"4", "8", "16", "64"}),
          "sizes of the swarms: its rows");
ABSL_FLAG(std::string, tables, "times,loss,pauses", "which tables to print");
ABSL_FLAG(uint64_t, seed, 1, "of everything random");

namespace starling {
namespace {

constexpr int kSizes[] = {4, 16, 64};

// Ends the program at what is not a number from `least` to `most`.
std::vector<double> Numbers(const char* flag, const std::vector<std::string>& words, double least,
                            double most) {
  std::vector<double> numbers;
  for (const std::string& word : words) {
    double& number = numbers.emplace_back();
    if (absl::SimpleAtod(word, &number) && number >= least && number <= most) continue;
    std::fprintf(stderr, "detection: --%s: \"%s\" is not a number from %g to %g\n", flag,
                 word.c_str(), least, most);
    std::exit(kExitUsage);
  }
  return numbers;
}

std::string Seconds(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1) + 0.5)];
  };
  return absl::StrFormat("%.2f (%.2f)", at(0.5), at(0.99));
}

void PrintTimes() {
  std::printf("Seconds after the event, median (99th percentile) of %d swarms each, 1 %% of "
              "datagrams lost.\n\n",
              absl::GetFlag(FLAGS_runs));
  std::printf("| preset | n | event | first SUSPECT | SUSPECT for all | first DEAD | DEAD for all |\n"
              "|---|---|---|---|---|---|---|\n");
  for (const MembershipOptions& preset :
       {MembershipOptions::Lan(), MembershipOptions::Wan(), MembershipOptions::Fast()}) {
    for (const int members : kSizes) {
      for (const bool kill : {false, true}) {
        std::vector<double> columns[4];
        for (int run = 0; run < absl::GetFlag(FLAGS_runs); ++run) {
          DetectionOptions options;
          options.membership = preset;
          options.members = members;
          options.loss = 0.01;
          options.seed = absl::GetFlag(FLAGS_seed) + static_cast<uint64_t>(run);
          DetectionSwarm swarm(options);
          const int victim = run % members;
          kill ? swarm.Kill(victim) : swarm.Crash(victim);
          swarm.RunUntil(
              [&] { return swarm.Seen().all_dead < absl::InfiniteDuration(); },
              4 * preset.SuspicionMax(static_cast<size_t>(members)));
          const DetectionSwarm::Times seen = swarm.Seen();
          columns[0].push_back(absl::ToDoubleSeconds(seen.first_suspect));
          columns[1].push_back(absl::ToDoubleSeconds(seen.all_suspect));
          columns[2].push_back(absl::ToDoubleSeconds(seen.first_dead));
          columns[3].push_back(absl::ToDoubleSeconds(seen.all_dead));
        }
        std::printf("| %s | %d | %s | %s | %s | %s | %s |\n", std::string(preset.preset).c_str(),
                    members, kill ? "killed" : "vanished", Seconds(columns[0]).c_str(),
                    Seconds(columns[1]).c_str(), Seconds(columns[2]).c_str(),
                    Seconds(columns[3]).c_str());
        std::fflush(stdout);
      }
    }
  }
}

absl::Duration TimeFor(int members) {
  return absl::Hours(absl::GetFlag(FLAGS_node_hours) / members);
}

void PrintRates(const DetectionSwarm& swarm) {
  const double hours = absl::GetFlag(FLAGS_node_hours);
  std::printf(" %.2f (%.1f) |", static_cast<double>(swarm.false_deaths()) / hours,
              static_cast<double>(swarm.false_suspicions()) / hours);
  std::fflush(stdout);
}

void PrintLoss() {
  std::printf("\nFalse DEAD (and false SUSPECT) per node-hour by datagram loss; preset lan, %.0f "
              "node-hours a cell.\n\n",
              absl::GetFlag(FLAGS_node_hours));
  const std::vector<double> losses = Numbers("losses", absl::GetFlag(FLAGS_losses), 0, 1);
  const std::vector<double> sizes = Numbers("members", absl::GetFlag(FLAGS_members), 2, 1000);
  std::string head = "| n |";
  std::string line = "|---|";
  for (const double loss : losses) {
    absl::StrAppend(&head, " ", 100 * loss, " % |");
    absl::StrAppend(&line, "---|");
  }
  std::printf("%s\n%s\n", head.c_str(), line.c_str());
  for (const double size : sizes) {
    const int members = static_cast<int>(size);
    std::printf("| %d |", members);
    for (const double loss : losses) {
      DetectionOptions options;
      options.members = members;
      options.loss = loss;
      options.seed = absl::GetFlag(FLAGS_seed);
      DetectionSwarm swarm(options);
      swarm.RunFor(TimeFor(members));
      PrintRates(swarm);
    }
    std::printf("\n");
  }
}

void PrintPauses() {
  constexpr int kMembers = 16;
  constexpr int kPausing = kMembers / 4;
  std::printf("\nFalse DEAD (and false SUSPECT) per node-hour where a quarter of 16 members pause about "
              "every 10 s.\n\n");
  std::printf("| preset | 1 s | 2 s | 4 s | 6 s | 15 s |\n|---|---|---|---|---|---|\n");
  for (const MembershipOptions& preset : {MembershipOptions::Lan(), MembershipOptions::Fast()}) {
    std::printf("| %s |", std::string(preset.preset).c_str());
    for (const double pause : {1.0, 2.0, 4.0, 6.0, 15.0}) {
      DetectionOptions options;
      options.membership = preset;
      options.seed = absl::GetFlag(FLAGS_seed);
      options.members = kMembers;
      DetectionSwarm swarm(options);
      Random random = Random(options.seed).Split("pauses");
      // Each of them by itself: runs for 10 s on average, stands still, and so on.
      absl::Duration elapsed;
      bool paused[kPausing] = {};
      absl::Duration next[kPausing];
      for (absl::Duration& each : next) each = absl::Seconds(random.Exponential(10));
      while (elapsed < TimeFor(kMembers)) {
        const int member = static_cast<int>(std::min_element(next, next + kPausing) - next);
        swarm.RunFor(next[member] - elapsed);
        elapsed = next[member];
        paused[member] = !paused[member];
        paused[member] ? swarm.Pause(member) : swarm.Resume(member);
        next[member] += absl::Seconds(paused[member] ? pause : random.Exponential(10));
      }
      PrintRates(swarm);
    }
    std::printf("\n");
  }
}

int Main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Prints the detection tables of docs/recovery.md.");
  absl::ParseCommandLine(argc, argv);
  const std::string tables = absl::GetFlag(FLAGS_tables);
  if (tables.find("times") != std::string::npos) PrintTimes();
  if (tables.find("loss") != std::string::npos) PrintLoss();
  if (tables.find("pauses") != std::string::npos) PrintPauses();
  return 0;
}

}  // namespace
}  // namespace starling

int main(int argc, char** argv) { return starling::Main(argc, argv); }
