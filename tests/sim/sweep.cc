#include "tests/sim/sweep.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "peer/algorithms/registry.h"
#include "tests/sim/quiet_life.h"
#include "tests/sim/soak_options.h"
#include "tests/sim/sweep_options.h"

namespace starling {
namespace {

constexpr uint64_t kMostSeeds = 1'000'000;
constexpr uint64_t kTwiceEvery = 20;

void TakeCourse(Simulation& simulation, SweepResult* result) {
  result->log.assign(simulation.log().begin(), simulation.log().end());
  result->elapsed = simulation.elapsed();
  result->events = simulation.events_run();
  result->trace = simulation.TraceHash();
}

// A world as the plan says; null, and a violation, if the plan is none.
template <typename Plan>
std::unique_ptr<Simulation> Begin(const absl::StatusOr<Plan>& plan, SweepResult* result) {
  absl::Status status = plan.status();
  if (status.ok()) {
    result->drawn = plan->drawn;
    auto simulation = Simulation::Create(plan->options);
    if (simulation.ok()) return *std::move(simulation);
    status = simulation.status();
  }
  result->violations.push_back(absl::StrCat("plan: ", status.message()));
  return nullptr;
}

SweepResult SoakOnce(const SweepCase& sweep_case) {
  SweepResult result;
  const absl::StatusOr<SoakPlan> plan = DrawSoakPlan(sweep_case.algorithm, sweep_case.seed);
  const std::unique_ptr<Simulation> simulation = Begin(plan, &result);
  if (simulation == nullptr) return result;
  result.violations = RunSoak(*simulation, *plan, sweep_case.soak, &result.figures);
  TakeCourse(*simulation, &result);
  return result;
}

SweepResult RunOnce(const SweepCase& sweep_case) {
  if (sweep_case.soak > absl::ZeroDuration()) return SoakOnce(sweep_case);
  SweepResult result;
  const absl::StatusOr<SweepPlan> plan = DrawSweepPlan(sweep_case.algorithm, sweep_case.seed);
  const std::unique_ptr<Simulation> simulation = Begin(plan, &result);
  if (simulation == nullptr) return result;
  for (const SweepLink& link : plan->links) simulation->SetLink(link.from, link.to, link.link);
  result.violations = plan->quiet ? RunQuietLife(*simulation, QuietLifeOptions())
                                  : RunSafetyThenHealing(*simulation, plan->life);
  TakeCourse(*simulation, &result);
  return result;
}

// What this thread is doing, for LastWords.
thread_local char current_command[512];

void LastWords(int signal_number) {
  constexpr char kSaid[] = "\nthe process dies in: bazel run //tests/sim:simulate -- ";
  for (const char* words : {kSaid, static_cast<const char*>(current_command), "\n"}) {
    if (write(STDERR_FILENO, words, strlen(words)) < 0) break;
  }
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

}  // namespace

SweepResult RunSweepCase(const SweepCase& sweep_case) {
  SweepResult result = RunOnce(sweep_case);
  if (!sweep_case.twice) return result;
  const SweepResult again = RunOnce(sweep_case);
  if (again.trace != result.trace || again.events != result.events) {
    result.violations.push_back("determinism: the second run took another course");
  }
  result.events += again.events;
  result.elapsed += again.elapsed;
  return result;
}

std::vector<std::string> AllAlgorithms() {
  constexpr double kManySteps = 20;
  constexpr double kFewSteps = 12;  // also a multiple of four fragments
  std::vector<std::string> algorithms;
  for (const AlgorithmRow& row : AlgorithmRegistry()) {
    std::string algorithm(row.name);
    char separator = ':';
    for (const AlgorithmOptionSpec& option : row.options) {
      if (!option.whole || option.default_value <= kManySteps || option.minimum > kFewSteps) {
        continue;
      }
      absl::StrAppend(&algorithm, std::string(1, separator), option.name, "=", kFewSteps);
      separator = ',';
    }
    algorithms.push_back(std::move(algorithm));
  }
  return algorithms;
}

std::vector<std::string> ParseAlgorithms(absl::string_view text) {
  if (text == "all") return AllAlgorithms();
  return absl::StrSplit(text, ';', absl::SkipWhitespace());
}

absl::StatusOr<std::vector<uint64_t>> ParseSeeds(absl::string_view text) {
  std::vector<uint64_t> seeds;
  for (const absl::string_view range : absl::StrSplit(text, ',')) {
    const std::vector<absl::string_view> ends = absl::StrSplit(range, absl::MaxSplits('-', 1));
    uint64_t first = 0;
    uint64_t last = 0;
    if (!absl::SimpleAtoi(ends.front(), &first) || !absl::SimpleAtoi(ends.back(), &last) ||
        last < first || last - first >= kMostSeeds - seeds.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--seeds=", text, " has \"", range,
                       "\"; it must be like 7 or 1-200, a million seeds at most"));
    }
    for (uint64_t seed = first; seed <= last; ++seed) seeds.push_back(seed);
  }
  return seeds;
}

std::vector<SweepCase> CasesFor(const std::vector<std::string>& algorithms,
                                const std::vector<uint64_t>& seeds) {
  std::vector<SweepCase> cases;
  for (const uint64_t seed : seeds) {
    for (const std::string& algorithm : algorithms) {
      cases.push_back({algorithm, seed, seed % kTwiceEvery == 0});
    }
  }
  return cases;
}

std::vector<SweepCase> SoakCasesFor(const std::vector<std::string>& algorithms,
                                    const std::vector<uint64_t>& seeds, absl::Duration life) {
  std::vector<SweepCase> cases;
  for (const uint64_t seed : seeds) {
    cases.push_back({algorithms[seed % algorithms.size()], seed, false, life});
  }
  return cases;
}

std::string CommandFor(const SweepCase& sweep_case) {
  std::string command =
      absl::StrCat("--algorithm=", sweep_case.algorithm, " --seeds=", sweep_case.seed);
  if (sweep_case.soak > absl::ZeroDuration()) {
    absl::StrAppend(&command, " --soak --hours=", absl::ToDoubleHours(sweep_case.soak));
  }
  return command;
}

void RunSweep(const std::vector<SweepCase>& cases, int threads,
              const std::function<void(const SweepCase&, const SweepResult&)>& done) {
  for (const int deadly : {SIGABRT, SIGSEGV, SIGFPE}) signal(deadly, LastWords);
  std::atomic<size_t> next = 0;
  std::mutex lock;
  auto work = [&] {
    for (size_t i = next++; i < cases.size(); i = next++) {
      std::snprintf(current_command, sizeof(current_command), "%s", CommandFor(cases[i]).c_str());
      const SweepResult result = RunSweepCase(cases[i]);
      const std::lock_guard<std::mutex> held(lock);
      done(cases[i], result);
    }
  };
  std::vector<std::thread> workers;
  for (int i = 1; i < threads; ++i) workers.emplace_back(work);
  work();
  for (std::thread& worker : workers) worker.join();
}

}  // namespace starling
