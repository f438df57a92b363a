#include "tests/sim/sweep_table.h"

#include <algorithm>
#include <cstdio>

#include "absl/time/clock.h"

namespace starling {
namespace {

constexpr absl::Duration kProgressEvery = absl::Seconds(5);

std::string Seconds(absl::Duration duration) {
  return absl::FormatDuration(absl::Trunc(duration, absl::Milliseconds(100)));
}

}  // namespace

SweepTable::SweepTable(bool with_log)
    : with_log_(with_log), began_(absl::Now()), last_progress_(began_) {}

void SweepTable::Add(const SweepCase& sweep_case, const SweepResult& result) {
  auto row = std::find_if(rows_.begin(), rows_.end(), [&](const Row& each) {
    return each.algorithm == sweep_case.algorithm;
  });
  if (row == rows_.end()) {
    rows_.push_back({sweep_case.algorithm});
    row = std::prev(rows_.end());
  }
  ++done_;
  ++row->runs;
  row->events += result.events;
  elapsed_ += result.elapsed;
  figures_ += result.figures;
  if (with_log_) {
    for (const std::string& line : result.log) std::printf("%s\n", line.c_str());
    std::printf("%s seed %llu: %s\ntrace hash %016llx\n", sweep_case.algorithm.c_str(),
                static_cast<unsigned long long>(sweep_case.seed), result.drawn.c_str(),
                static_cast<unsigned long long>(result.trace));
  }
  if (!result.violations.empty()) {
    ++violations_;
    // Cases come in the order of completion.
    row->first_seed = row->violations == 0 ? sweep_case.seed
                                           : std::min(row->first_seed, sweep_case.seed);
    ++row->violations;
    std::printf("%s, seed %llu (%s):\n", sweep_case.algorithm.c_str(),
                static_cast<unsigned long long>(sweep_case.seed), result.drawn.c_str());
    for (const std::string& violation : result.violations) {
      std::printf("  %s\n", violation.c_str());
    }
    std::printf("  again: bazel run //tests/sim:simulate -- %s --log\n",
                CommandFor(sweep_case).c_str());
    std::fflush(stdout);
  }
  if (absl::Now() - last_progress_ < kProgressEvery) return;
  last_progress_ = absl::Now();
  std::fprintf(stderr, "%zu of %zu runs, %zu with violations, %s\n", done_, expected_, violations_,
               Seconds(last_progress_ - began_).c_str());
}

void SweepTable::Print() const {
  std::printf("%-40s %8s %10s %12s %14s\n", "algorithm", "runs", "violations", "first seed",
              "events");
  for (const Row& row : rows_) {
    const std::string first = row.violations == 0 ? "-" : std::to_string(row.first_seed);
    std::printf("%-40s %8zu %10zu %12s %14llu\n", row.algorithm.c_str(), row.runs, row.violations,
                first.c_str(), static_cast<unsigned long long>(row.events));
  }
  const double hours = absl::ToDoubleHours(elapsed_);
  if (figures_.hard > absl::ZeroDuration()) {
    std::printf("in an hour of a swarm: %.0f events, %.0f steps, %.0f exchanges committed, %.0f given up, "
                "%.0f rounds, %.1f peers living, %.1f faults; faults in %.0f%% of the time\n",
                static_cast<double>(figures_.events) / hours,
                static_cast<double>(figures_.steps) / hours,
                static_cast<double>(figures_.committed) / hours,
                static_cast<double>(figures_.given_up) / hours,
                static_cast<double>(figures_.rounds) / hours,
                absl::FDivDuration(figures_.lived, elapsed_),
                static_cast<double>(figures_.faults()) / hours,
                100 * absl::FDivDuration(figures_.hard, elapsed_));
    for (const auto& [fault, times] : figures_.done) {
      std::printf("  %-32s %8llu  %6.2f an hour\n", fault.c_str(),
                  static_cast<unsigned long long>(times), static_cast<double>(times) / hours);
    }
  }
  std::printf("%zu runs, %s of virtual time, in %s\n", done_, Seconds(elapsed_).c_str(),
              Seconds(absl::Now() - began_).c_str());
}

}  // namespace starling
