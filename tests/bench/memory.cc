// How much memory exchanges take beyond what a trainer has anyway, in sizes of its model.
//
//   bazel run //tests/bench:memory -- --mib=16,64,256 --rounds=10
//
// Two processes of this machine exchange a model again and again, both ways, mixed and applied on both sides. Bare is
// what a process holds before the first exchange: its parameters and all that a peer is made of. Counted are the
// highest resident pages afterwards (VmHWM), less those. Not a measurement of time; pages of copies that are kept
// for the next exchange count. In the last column three ask in a ring, again and again, so that each asks and answers at once.

#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "peer/runtime/exit_codes.h"
#include "peer/runtime/flags.h"
#include "peer/runtime/keep_freed_memory.h"
#include "tests/bench/exchange_node.h"
#include "tests/bench/json_rows.h"
#include "tests/bench/mib_flag.h"
#include "tests/bench/other_end.h"
#include "tests/bench/served_node.h"

ABSL_FLAG(std::vector<std::string>, mib, std::vector<std::string>({"16", "64", "256"}),
          "model sizes, in MiB of fp32");
ABSL_FLAG(std::vector<std::string>, codecs,
          std::vector<std::string>({"fp32/fp32", "bf16/bf16", "bf16/int8"}),
          "codecs to measure, request/reply");
ABSL_FLAG(int, rounds, 10, "exchanges of each pair");
ABSL_FLAG(int64_t, bytes, 0, "of a process that this program starts: model size");
ABSL_FLAG(std::string, codec, "fp32/fp32", "of such a process: request/reply");
ABSL_FLAG(bool, copies, true, "of such a process: copies from the other's memory");
ABSL_FLAG(int, number, 0, "of such a process: from 1");

namespace starling {
namespace {

// Bytes of a row of /proc/self/status, in kB there; 0 if there is none.
uint64_t Resident(const std::string& row) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    uint64_t kilobytes;
    const std::vector<std::string> words = absl::StrSplit(line, absl::ByAnyChar(": \t"), absl::SkipEmpty());
    if (words.size() == 3 && words[0] == row && absl::SimpleAtoi(words[1], &kilobytes)) return kilobytes << 10;
  }
  return 0;
}

int Serve() {
  const auto codecs = ChoiceOf(absl::GetFlag(FLAGS_codec));
  if (!codecs.ok()) return ExitCodeFor(codecs.status());
  const auto number = static_cast<uint64_t>(absl::GetFlag(FLAGS_number));
  auto node = ExchangeNode::Start(number, static_cast<size_t>(absl::GetFlag(FLAGS_bytes)) / sizeof(float),
                                  *codecs, absl::GetFlag(FLAGS_copies));
  if (!node.ok()) return ExitCodeFor(node.status());
  const uint64_t bare = Resident("VmRSS");
  return ServeNode(**node, [bare](absl::Duration) { return absl::StrCat(Resident("VmHWM") - bare); });
}

// The most that each of so many processes takes, in models; those of `asks` ask the next one, the last the first.
absl::StatusOr<std::vector<double>> Measure(size_t mib, const std::string& codec, bool copies,
                                            const std::vector<bool>& asks) {
  const size_t bytes = mib << 20;
  std::vector<std::unique_ptr<OtherEnd>> ends;
  for (size_t end = 0; end < asks.size(); ++end) {
    ends.push_back(std::make_unique<OtherEnd>(std::vector<std::string>{
        absl::StrCat("--bytes=", bytes), absl::StrCat("--codec=", codec),
        absl::StrCat("--copies=", copies ? "true" : "false"), absl::StrCat("--number=", end + 1)}));
  }
  for (size_t end = 0; end < asks.size(); ++end) {
    const size_t next = (end + 1) % asks.size();
    if (asks[end]) ends[end]->Tell(absl::StrCat("=", next + 1, " ", ends[next]->address(), "\n"));
  }
  std::vector<double> models(asks.size());
  const auto note = [&](size_t end) {
    double taken;
    if (!absl::SimpleAtod(ends[end]->ReadLine(), &taken)) return false;
    models[end] = std::max(models[end], taken / static_cast<double>(bytes));
    return true;
  };
  bool alive = true;
  for (int round = 0; round < absl::GetFlag(FLAGS_rounds) && alive; ++round) {
    for (const auto& end : ends) end->Tell("?");
    for (size_t end = 0; end < asks.size(); ++end) alive &= note(end);
  }
  // Who only answers has told of the rounds before the last one.
  for (size_t end = 0; end < asks.size() && alive; ++end) {
    if (!asks[end]) alive = ends[end]->Tell("?") && note(end);
  }
  if (!alive) return absl::InternalError("a process of the benchmark died");
  return models;
}

absl::Status MeasureRow(size_t mib, const std::string& codec, bool copies, JsonRows& rows) {
  const auto pair = Measure(mib, codec, copies, {true, false});
  if (!pair.ok()) return pair.status();
  const auto ring = Measure(mib, codec, copies, {true, true, true});
  if (!ring.ok()) return ring.status();
  const std::string path = copies ? "same host" : "loopback";
  const double both = *std::max_element(ring->begin(), ring->end());
  std::printf("%5zu MiB  %-10s %-10s %9.2f %9.2f %9.2f\n", mib, codec.c_str(), path.c_str(), (*pair)[0], (*pair)[1],
              both);
  std::fflush(stdout);
  rows.Add({{"mib", mib},
            {"codecs", codec},
            {"path", path},
            {"asks_models", (*pair)[0]},
            {"answers_models", (*pair)[1]},
            {"both_models", both}});
  return rows.Write();
}

int Main(int argc, char** argv) {
  KeepFreedMemory();  // as peerd does
  signal(SIGPIPE, SIG_IGN);
  const FlagScope scope{{"tests/bench/memory.cc", kJsonRowsFlags}};
  const auto positional = ParseFlags(argc, argv, scope);
  if (absl::IsCancelled(positional.status())) {
    std::cout << "memory: what exchanges take beyond the bare trainer\n\n" << FlagsHelp(scope);
    return kExitOk;
  }
  if (!positional.ok()) {
    std::fprintf(stderr, "memory: %s\n", positional.status().ToString().c_str());
    return ExitCodeFor(positional.status());
  }
  if (absl::GetFlag(FLAGS_bytes) > 0) return Serve();
  const auto sizes = ParseMib(absl::GetFlag(FLAGS_mib));
  if (!sizes.ok()) {
    std::fprintf(stderr, "memory: %s\n", std::string(sizes.status().message()).c_str());
    return kExitUsage;
  }
  std::printf("highest resident memory over bare, in models\n%10s %-10s %-10s %9s %9s %9s\n", "", "codecs", "",
              "asks", "answers", "both");
  JsonRows rows("memory");
  for (const size_t mib : *sizes) {
    for (const std::string& codec : absl::GetFlag(FLAGS_codecs)) {
      for (const bool copies : {false, true}) {
        if (absl::Status status = MeasureRow(mib, codec, copies, rows); !status.ok()) {
          std::fprintf(stderr, "memory: %s\n", status.ToString().c_str());
          return ExitCodeFor(status);
        }
      }
    }
  }
  return kExitOk;
}

}  // namespace
}  // namespace starling

int main(int argc, char** argv) { return starling::Main(argc, argv); }
