// simulate: swarms in virtual time, from the command line.
//
//   bazel run //tests/sim:simulate -- --seed=7 --peers=12 --minutes=30 --loss=0.1
//
// runs one and prints what happened and what the checkers say;
//
//   bazel run //tests/sim:simulate -- --algorithm=all --seeds=1-200
//
// runs a small one of every algorithm for every seed, each with what that seed draws (sweep.h), and
// prints a table;
//
//   bazel run //tests/sim:simulate -- --algorithm=all --seeds=1-250 --soak --hours=4
//
// leads a life of four hours with every fault there is for each seed, which takes the algorithms in turn
// (soak.h). Exit codes: 0 all is well, 1 a checker complained
// (the command that repeats it is printed), 64 bad flags.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "peer/runtime/exit_codes.h"
#include "peer/runtime/flags.h"
#include "tests/sim/chaos.h"
#include "tests/sim/simulate_report.h"
#include "tests/sim/simulation.h"
#include "tests/sim/sweep.h"
#include "tests/sim/sweep_table.h"

ABSL_FLAG(uint64_t, seed, 1, "root of everything random: one seed, one course of events");
ABSL_FLAG(int, peers, 6, "peers at the start");
ABSL_FLAG(double, minutes, 5, "virtual time to run");
ABSL_FLAG(double, hours, 0, "virtual time to run, instead of --minutes");
ABSL_FLAG(std::string, algorithm, "elastic_gossip:p=0.25",
          "NAME or NAME:option=value,...; with --seeds also several, separated by semicolons, or all");
ABSL_FLAG(std::string, seeds, "",
          "run a sweep over these seeds, like 1-200; apart from --algorithm, --soak, --threads and --log "
          "the other flags are then not read");
ABSL_FLAG(bool, soak, false,
          "with --seeds: a life of --hours (1) with every fault there is for each seed");
ABSL_FLAG(int, threads, 2, "simulations of a sweep that run at once");
ABSL_FLAG(bool, learn, true, "false: gradients are off, and the sum over all peers is judged");
ABSL_FLAG(uint32_t, dimension, 40, "parameters of the quadratic model");
ABSL_FLAG(uint32_t, shard_elements, 16, "parameters in one shard");
ABSL_FLAG(double, dirichlet, 0, "inequality of the peers' data; 0 deals evenly");
ABSL_FLAG(uint64_t, averaging_period, 0, "steps between global averaging rounds; 0: none");
ABSL_FLAG(bool, coordinator, true, "false: peers find each other by themselves");
ABSL_FLAG(int, stragglers, 0, "peers that are five times slower");
ABSL_FLAG(absl::Duration, step_time, absl::Milliseconds(20), "duration of a local step");
ABSL_FLAG(double, loss, 0, "share of messages that are lost");
ABSL_FLAG(double, duplication, 0, "share of frames that arrive twice");
ABSL_FLAG(double, corruption, 0, "share of frames that arrive with a flipped bit");
ABSL_FLAG(absl::Duration, delay, absl::Microseconds(500), "least delay of a message");
ABSL_FLAG(absl::Duration, delay_spread, absl::Microseconds(500),
          "mean of what comes on top of it, exponentially distributed");
ABSL_FLAG(double, bandwidth, 0, "bytes a second of each peer, up and down; 0: no limit");
ABSL_FLAG(absl::Duration, chaos, absl::ZeroDuration(),
          "mean time between random deaths, partitions and the like, during the first half; 0: none");
ABSL_FLAG(bool, log, false, "print the last lines that the peers logged");

namespace starling {
namespace {

const FlagScope& Scope() {
  static const FlagScope& scope = *new FlagScope{{"tests/sim/simulate_main.cc"}};
  return scope;
}

SimulationOptions OptionsFromFlags() {
  SimulationOptions options;
  options.seed = absl::GetFlag(FLAGS_seed);
  options.peers = absl::GetFlag(FLAGS_peers);
  options.algorithm = absl::GetFlag(FLAGS_algorithm);
  options.learn = absl::GetFlag(FLAGS_learn);
  options.dimension = absl::GetFlag(FLAGS_dimension);
  options.shard_elements = absl::GetFlag(FLAGS_shard_elements);
  options.dirichlet_alpha = absl::GetFlag(FLAGS_dirichlet);
  options.averaging_period_steps = absl::GetFlag(FLAGS_averaging_period);
  options.coordinator = absl::GetFlag(FLAGS_coordinator);
  options.stragglers = absl::GetFlag(FLAGS_stragglers);
  options.step_time = absl::GetFlag(FLAGS_step_time);
  options.network.loss = absl::GetFlag(FLAGS_loss);
  options.network.duplication = absl::GetFlag(FLAGS_duplication);
  options.network.corruption = absl::GetFlag(FLAGS_corruption);
  options.network.delay_floor = absl::GetFlag(FLAGS_delay);
  options.network.delay_spread = absl::GetFlag(FLAGS_delay_spread);
  if (const double bandwidth = absl::GetFlag(FLAGS_bandwidth); bandwidth != 0) {
    options.network.bandwidth = {bandwidth, bandwidth};
  }
  // A thousand peers need as many examples, and then some.
  options.examples =
      std::max(options.examples, 4 * static_cast<uint32_t>(std::max(0, options.peers)));
  options.look_every = absl::Milliseconds(500);
  options.BecomePatient();
  return options;
}

void Run(Simulation& simulation) {
  const double hours = absl::GetFlag(FLAGS_hours);
  const absl::Duration duration =
      hours > 0 ? absl::Hours(hours) : absl::Minutes(absl::GetFlag(FLAGS_minutes));
  const absl::Duration chaos = absl::GetFlag(FLAGS_chaos);
  if (chaos > absl::ZeroDuration()) {
    RunChaos(simulation, duration / 2, chaos, Random(simulation.options().seed).Split("chaos"));
  }
  simulation.RunFor(duration - simulation.elapsed());
}

int Sweep(const std::vector<uint64_t>& seeds) {
  SweepTable table(absl::GetFlag(FLAGS_log));
  const std::vector<std::string> algorithms = ParseAlgorithms(absl::GetFlag(FLAGS_algorithm));
  const double hours = absl::GetFlag(FLAGS_hours);
  const std::vector<SweepCase> cases =
      absl::GetFlag(FLAGS_soak)
          ? SoakCasesFor(algorithms, seeds, absl::Hours(hours > 0 ? hours : 1))
          : CasesFor(algorithms, seeds);
  table.Expect(cases.size());
  RunSweep(cases, absl::GetFlag(FLAGS_threads),
           [&](const SweepCase& done, const SweepResult& result) { table.Add(done, result); });
  table.Print();
  return table.violations() == 0 ? kExitOk : kExitOther;
}

int Main(int argc, char** argv) {
  const absl::StatusOr<std::vector<std::string>> positional = ParseFlags(argc, argv, Scope());
  if (absl::IsCancelled(positional.status())) {
    std::printf("simulate: one swarm in virtual time\n\n%s", FlagsHelp(Scope()).c_str());
    return kExitOk;
  }
  absl::Status status = positional.status();
  if (status.ok() && !positional->empty()) {
    status = absl::InvalidArgumentError(absl::StrCat("unexpected argument ", positional->front()));
  }
  const std::string seeds = absl::GetFlag(FLAGS_seeds);
  if (status.ok() && !seeds.empty()) {
    auto parsed = ParseSeeds(seeds);
    if (parsed.ok()) {
      return Sweep(*parsed);
    }
    status = parsed.status();
  }
  auto simulation = status.ok() ? Simulation::Create(OptionsFromFlags())
                                : absl::StatusOr<std::unique_ptr<Simulation>>(status);
  if (!simulation.ok()) {
    std::fprintf(stderr, "simulate: %s\n", std::string(simulation.status().message()).c_str());
    return kExitUsage;
  }
  const absl::Time began = absl::Now();
  Run(**simulation);
  PrintReport(**simulation, absl::Now() - began);
  if (absl::GetFlag(FLAGS_log)) {
    for (const std::string& line : (*simulation)->log()) std::printf("%s\n", line.c_str());
  }
  const std::vector<std::string> complaints = (*simulation)->complaints();
  if (complaints.empty()) return kExitOk;
  for (const std::string& complaint : complaints) std::fprintf(stderr, "%s\n", complaint.c_str());
  // The seed is among the arguments or is the default.
  std::fprintf(stderr, "seed %llu; again: bazel run //tests/sim:simulate -- %s\n",
               static_cast<unsigned long long>((*simulation)->options().seed),
               absl::StrJoin(argv + 1, argv + argc, " ").c_str());
  return kExitOther;
}

}  // namespace
}  // namespace starling

int main(int argc, char** argv) { return starling::Main(argc, argv); }
