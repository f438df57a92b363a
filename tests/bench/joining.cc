// How long a newcomer takes to fetch a model from training donors, against a plain TCP copy of the same
// bytes in the same run, and what that costs the donors' steps.
//
//   bazel run //tests/bench:joining -- --mib=100 --donors=4 --rounds=7
//
// Donors are processes of their own that make a step every `step_ms`, as machines of that speed would.
// Every figure is the median of `rounds`. "steps kept" compares the donors' steps in the second around a
// transfer with those in the second before it.

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "peer/runtime/exit_codes.h"
#include "peer/runtime/flags.h"
#include "peer/runtime/keep_freed_memory.h"
#include "tests/bench/exchange_node.h"
#include "tests/bench/json_rows.h"
#include "tests/bench/median.h"
#include "tests/bench/other_end.h"
#include "tests/bench/raw_streams.h"

ABSL_FLAG(int64_t, mib, 100, "size of the model, in MiB of fp32");
ABSL_FLAG(int, donors, 4, "donors that train");
ABSL_FLAG(int, rounds, 7, "rounds; the first is not counted");
ABSL_FLAG(double, step_ms, 20, "milliseconds of a donor's step");
ABSL_FLAG(bool, copies, true, "copy from the donors' memory; false: through the loopback");
ABSL_FLAG(std::string, role, "", "of a process that this program starts: tcp or node");
ABSL_FLAG(int, number, 0, "of such a node");

namespace starling {
namespace {

size_t ModelBytes() { return static_cast<size_t>(absl::GetFlag(FLAGS_mib)) << 20; }

absl::StatusOr<std::unique_ptr<ExchangeNode>> StartNode(int number) {
  return ExchangeNode::Start(static_cast<uint64_t>(number), ModelBytes() / sizeof(float),
                             *MakeCodecChoice("fp32", "fp32"), absl::GetFlag(FLAGS_copies));
}

// Prints its address, and for each byte that comes how many steps were made.
int Serve(const std::string& role) {
  std::unique_ptr<StreamSink> sink;
  std::unique_ptr<ExchangeNode> node;
  if (role == "tcp") {
    sink = StartTcpSink(ModelBytes());
    std::printf("%s\n", sink->address().c_str());
  } else {
    auto started = StartNode(absl::GetFlag(FLAGS_number));
    if (!started.ok()) return ExitCodeFor(started.status());
    node = *std::move(started);
    node->Train(absl::Milliseconds(absl::GetFlag(FLAGS_step_ms)));
    std::printf("%s\n", node->address().c_str());
  }
  std::fflush(stdout);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
    std::printf("%llu\n", static_cast<unsigned long long>(node != nullptr ? node->steps() : 0));
    std::fflush(stdout);
  }
  return kExitOk;
}

std::unique_ptr<OtherEnd> StartRole(const std::string& role, int number) {
  return std::make_unique<OtherEnd>(std::vector<std::string>{
      absl::StrCat("--role=", role), absl::StrCat("--number=", number),
      absl::StrCat("--mib=", absl::GetFlag(FLAGS_mib)),
      absl::StrCat("--step_ms=", absl::GetFlag(FLAGS_step_ms))});
}

class Donors {
 public:
  explicit Donors(int count) {
    for (int number = 1; number <= count; ++number) {
      processes_[static_cast<uint64_t>(number)] = StartRole("node", number);
    }
  }
  std::map<uint64_t, std::string> addresses() const {
    std::map<uint64_t, std::string> addresses;
    for (const auto& [number, process] : processes_) addresses[number] = process->address();
    return addresses;
  }
  // Steps of all together.
  double Steps() {
    double sum = 0;
    for (const auto& [number, process] : processes_) {
      double steps = 0;
      if (absl::SimpleAtod(process->Ask(), &steps)) sum += steps;
    }
    return sum;
  }

 private:
  std::map<uint64_t, std::unique_ptr<OtherEnd>> processes_;
};

absl::Status Measure() {
  const auto sink = StartRole("tcp", 0);
  const auto source = ConnectTcp(sink->address(), ModelBytes());
  Donors donors(absl::GetFlag(FLAGS_donors));
  for (const auto& [number, address] : donors.addresses()) {
    if (address.empty()) return absl::InternalError("a donor did not start");
  }
  std::vector<double> copies, one, all, kept;
  for (int round = 0; round <= absl::GetFlag(FLAGS_rounds); ++round) {
    const auto copied = source->Send();
    if (!copied.ok()) return copied.status();
    // A newcomer each time: its connections and buffers are new as well.
    std::vector<double> took;
    for (const bool alone : {true, false}) {
      auto newcomer = StartNode(99);
      if (!newcomer.ok()) return newcomer.status();
      std::map<uint64_t, std::string> addresses = donors.addresses();
      if (alone) addresses = {*addresses.begin()};
      const double before = donors.Steps();
      absl::SleepFor(absl::Seconds(1));
      const double between = donors.Steps();
      const absl::Time begin = absl::Now();
      const auto joined = (*newcomer)->Join(addresses);
      if (!joined.ok()) return joined.status();
      absl::SleepFor(begin + absl::Seconds(1) - absl::Now());
      const double after = donors.Steps();
      took.push_back(absl::ToDoubleSeconds(*joined));
      if (round > 0 && !alone) kept.push_back((after - between) / (between - before));
    }
    if (round == 0) continue;
    copies.push_back(absl::ToDoubleSeconds(*copied));
    one.push_back(took[0]);
    all.push_back(took[1]);
  }
  const double copy = Median(copies);
  std::printf("%-28s %8s %12s\n", absl::StrCat(absl::GetFlag(FLAGS_mib), " MiB").c_str(), "ms",
              "of the copy");
  std::printf("%-28s %8.1f %12.2f\n", "plain TCP copy", 1e3 * copy, 1.0);
  std::printf("%-28s %8.1f %12.2f\n", "join, one donor", 1e3 * Median(one), Median(one) / copy);
  std::printf("%-28s %8.1f %12.2f\n",
              absl::StrCat("join, ", absl::GetFlag(FLAGS_donors), " donors").c_str(),
              1e3 * Median(all), Median(all) / copy);
  std::printf("%-28s %8.1f %%\n", "steps kept by the donors", 100 * Median(kept));
  JsonRows rows("joining");
  rows.Add({{"mib", absl::GetFlag(FLAGS_mib)},
            {"donors", absl::GetFlag(FLAGS_donors)},
            {"copy_ms", 1e3 * copy},
            {"one_donor_of_copy", Median(one) / copy},
            {"all_donors_of_copy", Median(all) / copy},
            {"steps_kept", Median(kept)}});
  return rows.Write();
}

int Main(int argc, char** argv) {
  KeepFreedMemory();  // as peerd does
  signal(SIGPIPE, SIG_IGN);
  const FlagScope scope{{"tests/bench/joining.cc", kJsonRowsFlags}};
  const auto positional = ParseFlags(argc, argv, scope);
  if (absl::IsCancelled(positional.status())) {
    std::cout << "joining: how long a newcomer takes to fetch a model\n\n" << FlagsHelp(scope);
    return kExitOk;
  }
  absl::Status status = positional.status();
  if (status.ok() && (absl::GetFlag(FLAGS_mib) < 1 || absl::GetFlag(FLAGS_mib) > 4096)) {
    status = absl::InvalidArgumentError("--mib must be between 1 and 4096");
  }
  if (status.ok() && !absl::GetFlag(FLAGS_role).empty()) return Serve(absl::GetFlag(FLAGS_role));
  if (status.ok()) status = Measure();
  if (status.ok()) return kExitOk;
  std::fprintf(stderr, "joining: %s\n", status.ToString().c_str());
  return ExitCodeFor(status);
}

}  // namespace
}  // namespace starling

int main(int argc, char** argv) { return starling::Main(argc, argv); }
