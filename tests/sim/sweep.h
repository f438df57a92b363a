// Many small simulations: every algorithm, many seeds, each a life of its own (safety, then healing) on
// a network, among peers and with options that its seed draws.
//
// A case is a function of (algorithm, seed) alone, so naming the two repeats it. Simulations share
// nothing, so cases run on several threads at once.

#ifndef STARLING_TESTS_SIM_SWEEP_H_
#define STARLING_TESTS_SIM_SWEEP_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tests/sim/soak.h"

namespace starling {

struct SweepCase {
  std::string algorithm;  // as SimulationOptions
  uint64_t seed = 1;
  // Run it a second time and compare the traces.
  bool twice = false;
  // Not a small life but a long one (soak.h), of so much virtual time; zero: a small one.
  absl::Duration soak = absl::ZeroDuration();
};

struct SweepResult {
  std::vector<std::string> violations;
  std::string drawn;  // what the seed made of it, in one line
  std::vector<std::string> log;
  absl::Duration elapsed;  // virtual
  uint64_t events = 0;
  uint64_t trace = 0;
  SoakFigures figures;  // of a long one
};

// One case. Never fails: an algorithm that cannot be built is a violation.
SweepResult RunSweepCase(const SweepCase& sweep_case);

// The names of all rows of the registry, each with options that let it do something within seconds:
// numbers of steps of more than 20 become 12.
std::vector<std::string> AllAlgorithms();

// "all", or one or more of NAME[:option=value,...], separated by semicolons.
std::vector<std::string> ParseAlgorithms(absl::string_view text);

// "1-200", "7" or "1-5,9".
// INVALID_ARGUMENT: something else, or more than a million seeds.
absl::StatusOr<std::vector<uint64_t>> ParseSeeds(absl::string_view text);

// All pairs, seed by seed; every twentieth seed is run twice.
std::vector<SweepCase> CasesFor(const std::vector<std::string>& algorithms,
                                const std::vector<uint64_t>& seeds);

// Long lives of so much virtual time each, one for each seed; seeds take the algorithms in turn.
std::vector<SweepCase> SoakCasesFor(const std::vector<std::string>& algorithms,
                                    const std::vector<uint64_t>& seeds, absl::Duration life);

// The arguments that repeat the case.
std::string CommandFor(const SweepCase& sweep_case);

// Runs the cases on so many threads. `done` is called under a lock, in the order of completion.
// Should a case kill the process, its command is printed to stderr first.
void RunSweep(const std::vector<SweepCase>& cases, int threads,
              const std::function<void(const SweepCase&, const SweepResult&)>& done);

}  // namespace starling

#endif  // STARLING_TESTS_SIM_SWEEP_H_
