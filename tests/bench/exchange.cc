// How long an exchange of a whole model takes between two processes on this machine, against a plain
// TCP stream, a raw gRPC stream, memcpy, the arithmetic of an exchange alone, and gloo's all-reduce of the same bytes,
// all in one run.
//
//   bazel run //tests/bench:exchange -- --mib=4,16,64,256 --rounds=7
//
// Then four processes that exchange in random pairs, up to 64 MiB, against gloo's all-reduce with four ranks.
//
// An exchange moves the model both ways, is mixed and applied on both sides. Every figure is the
// median of `rounds`; the contestants take turns, so that a slow spell of a shared machine hits all.

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <iostream>
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
#include "tests/bench/mib_flag.h"
#include "tests/bench/mixing_alone.h"
#include "tests/bench/other_end.h"
#include "tests/bench/random_pairs.h"
#include "tests/bench/raw_streams.h"
#include "tests/bench/served_node.h"

ABSL_FLAG(std::vector<std::string>, mib, std::vector<std::string>({"4", "16", "64", "256"}),
          "model sizes, in MiB of fp32");
ABSL_FLAG(std::vector<std::string>, codecs,
          std::vector<std::string>({"fp32/fp32", "bf16/bf16", "bf16/int8"}),
          "codecs to measure, request/reply");
ABSL_FLAG(int, rounds, 7, "rounds; the first is not counted");
ABSL_FLAG(std::string, gloo, "",
          "path of gloo_allreduce.py; empty: beside this program's sources, if python3-torch is there");
ABSL_FLAG(std::string, role, "", "of a process that this program starts: tcp, grpc or node");
ABSL_FLAG(int64_t, bytes, 0, "for such a process: model size");
ABSL_FLAG(int64_t, number, 2, "for such a process: of the node");
ABSL_FLAG(std::string, codec, "fp32/fp32", "for such a process: request/reply");
ABSL_FLAG(bool, copies, true, "for such a process: copies from the other's memory");

namespace starling {
namespace {

// Twelve more processes, each of which takes several models, that keep what they have while the others have their turn.
constexpr size_t kMostForFour = 64;

// The other end: says where it listens, serves until its standard input ends.
int Serve(const std::string& role) {
  const auto bytes = static_cast<size_t>(absl::GetFlag(FLAGS_bytes));
  if (role == "node") {
    auto codecs = ChoiceOf(absl::GetFlag(FLAGS_codec));
    if (!codecs.ok()) return ExitCodeFor(codecs.status());
    auto node = ExchangeNode::Start(static_cast<uint64_t>(absl::GetFlag(FLAGS_number)), bytes / sizeof(float),
                                    *codecs, absl::GetFlag(FLAGS_copies));
    if (!node.ok()) return ExitCodeFor(node.status());
    return ServeNode(**node, [](absl::Duration took) { return absl::StrCat(absl::ToDoubleSeconds(took)); });
  }
  const std::unique_ptr<StreamSink> sink = role == "tcp" ? StartTcpSink(bytes) : StartGrpcSink(bytes);
  std::printf("%s\n", sink->address().c_str());
  std::fflush(stdout);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  return kExitOk;
}

std::unique_ptr<OtherEnd> StartRole(const std::string& role, size_t bytes,
                                    const std::string& codecs, bool copies = true,
                                    int number = 2) {
  return std::make_unique<OtherEnd>(std::vector<std::string>{
      absl::StrCat("--role=", role), absl::StrCat("--bytes=", bytes),
      absl::StrCat("--codec=", codecs), absl::StrCat("--copies=", copies ? "true" : "false"),
      absl::StrCat("--number=", number)});
}

double MemcpySeconds(size_t bytes) {
  static std::vector<char> from, to;
  from.resize(bytes, 'x');
  to.resize(bytes);
  const absl::Time begin = absl::Now();
  std::memcpy(to.data(), from.data(), bytes);
  asm volatile("" : : "r"(to.data()) : "memory");
  return absl::ToDoubleSeconds(absl::Now() - begin);
}

struct Contestant {
  std::string name;
  double ways = 1;  // how often the model's fp32 bytes travel, or would
  std::unique_ptr<OtherEnd> other;
  std::unique_ptr<StreamSource> source;
  std::unique_ptr<ExchangeNode> node;
  std::unique_ptr<MixingAlone> alone;
  std::unique_ptr<RandomPairs> pairs;
  std::vector<double> seconds;

  absl::Status Round(size_t bytes) {
    if (alone != nullptr) {
      seconds.push_back(absl::ToDoubleSeconds(alone->Exchange()));
      return absl::OkStatus();
    }
    if (pairs != nullptr) {
      const auto took = pairs->Round();
      if (took.ok()) seconds.push_back(absl::ToDoubleSeconds(*took));
      return took.status();
    }
    if (other == nullptr) {
      seconds.push_back(MemcpySeconds(bytes));
      return absl::OkStatus();
    }
    if (source == nullptr && node == nullptr) {
      if (absl::SimpleAtod(other->Ask(), &seconds.emplace_back())) return absl::OkStatus();
      return absl::InternalError(absl::StrCat(name, ": its process died"));
    }
    const auto took = source != nullptr ? source->Send() : node->Exchange();
    if (took.ok()) seconds.push_back(absl::ToDoubleSeconds(*took));
    return took.status();
  }
};

absl::Status MeasureSize(size_t mib, const std::string& gloo, JsonRows& rows) {
  const size_t bytes = mib << 20;
  std::vector<Contestant> contestants;
  contestants.push_back({"memcpy, one way"});
  for (const std::string role : {"tcp", "grpc"}) {
    Contestant contestant{role == "tcp" ? "plain TCP, one way" : "raw gRPC, one way"};
    contestant.other = StartRole(role, bytes, "fp32/fp32");
    if (contestant.other->address().empty()) return absl::InternalError("the sink did not start");
    contestant.source = role == "tcp" ? ConnectTcp(contestant.other->address(), bytes)
                                      : ConnectGrpc(contestant.other->address(), bytes);
    contestants.push_back(std::move(contestant));
  }
  std::vector<std::pair<std::string, bool>> exchanges;
  for (const std::string& pair : absl::GetFlag(FLAGS_codecs)) {
    for (const bool copies : {false, true}) exchanges.emplace_back(pair, copies);
  }
  for (const auto& [pair, copies] : exchanges) {
    const auto codecs = ChoiceOf(pair);
    if (!codecs.ok()) return codecs.status();
    Contestant contestant{absl::StrCat(pair, copies ? ", same host" : ", loopback"), 2};
    contestant.other = StartRole("node", bytes, pair, copies);
    if (contestant.other->address().empty()) return absl::InternalError("the peer did not start");
    auto node = ExchangeNode::Start(1, bytes / sizeof(float), *codecs, copies);
    if (!node.ok()) return node.status();
    contestant.node = *std::move(node);
    contestant.node->Connect(2, contestant.other->address());
    contestants.push_back(std::move(contestant));
  }
  for (const std::string& pair : absl::GetFlag(FLAGS_codecs)) {
    Contestant contestant{absl::StrCat(pair, ", only mixed"), 2};
    contestant.alone = std::make_unique<MixingAlone>(bytes / sizeof(float), *ChoiceOf(pair));
    contestants.push_back(std::move(contestant));
  }
  for (const std::string& pair : absl::GetFlag(FLAGS_codecs)) {
    if (mib > kMostForFour) break;
    RandomPairs::Ends ends;
    for (size_t end = 0; end < ends.size(); ++end) {
      ends[end] = StartRole("node", bytes, pair, /*copies=*/true, static_cast<int>(end) + 1);
      if (ends[end]->address().empty()) return absl::InternalError("a peer of four did not start");
    }
    Contestant contestant{absl::StrCat(pair, ", 4 in random pairs"), 4};
    contestant.pairs = std::make_unique<RandomPairs>(std::move(ends));
    contestants.push_back(std::move(contestant));
  }
  size_t gloo_pair = 0, gloo_four = 0;
  for (const int ranks : {2, 4}) {
    if (gloo.empty()) break;
    Contestant contestant{absl::StrCat("gloo all-reduce, ", ranks, " ranks"), 2};
    contestant.other = std::make_unique<OtherEnd>(
        std::vector<std::string>{gloo, absl::StrCat(ranks), absl::StrCat(mib)}, "/usr/bin/python3");
    if (contestant.other->address().empty()) {
      std::fprintf(stderr, "exchange: gloo did not start, so nothing is compared with it: apt-get install python3-torch\n");
      break;
    }
    (ranks == 2 ? gloo_pair : gloo_four) = contestants.size();
    contestants.push_back(std::move(contestant));
  }
  const int rounds = absl::GetFlag(FLAGS_rounds);
  for (int round = 0; round <= rounds; ++round) {
    for (Contestant& contestant : contestants) {
      if (absl::Status status = contestant.Round(bytes); !status.ok()) return status;
      if (round == 0) contestant.seconds.clear();
    }
  }
  const double grpc = 2 * static_cast<double>(bytes) / 2 / Median(contestants[2].seconds);
  std::printf("%zu MiB\n  %-26s %10s %8s %14s %14s\n", mib, "", "ms", "GB/s", "of raw gRPC",
              "of gloo's time");
  for (const Contestant& contestant : contestants) {
    const double seconds = Median(contestant.seconds);
    const double rate = contestant.ways * static_cast<double>(bytes) / seconds;
    std::printf("  %-26s %10.2f %8.2f %13.2fx", contestant.name.c_str(), 1e3 * seconds, rate / 1e9,
                rate / grpc);
    nlohmann::ordered_json row = {{"mib", mib},
                                  {"case", contestant.name},
                                  {"ms", 1e3 * seconds},
                                  {"gb_per_s", rate / 1e9},
                                  {"rate_of_raw_grpc", rate / grpc}};
    const bool between_two = contestant.node != nullptr || contestant.alone != nullptr;
    const size_t gloo_like = between_two ? gloo_pair : contestant.pairs != nullptr ? gloo_four : 0;
    if (gloo_like > 0) {
      row["time_of_gloo"] = seconds / Median(contestants[gloo_like].seconds);
      std::printf(" %13.2fx", row["time_of_gloo"].get<double>());
    }
    std::printf("\n");
    rows.Add(std::move(row));
  }
  std::fflush(stdout);
  return rows.Write();
}

int Main(int argc, char** argv) {
  KeepFreedMemory();  // as peerd does
  signal(SIGPIPE, SIG_IGN);
  const FlagScope scope{{"tests/bench/exchange.cc", kJsonRowsFlags}};
  const auto positional = ParseFlags(argc, argv, scope);
  if (absl::IsCancelled(positional.status())) {
    std::cout << "exchange: how long an exchange of a whole model takes\n\n" << FlagsHelp(scope);
    return kExitOk;
  }
  if (!positional.ok()) {
    std::fprintf(stderr, "exchange: %s\n", positional.status().ToString().c_str());
    return ExitCodeFor(positional.status());
  }
  if (!absl::GetFlag(FLAGS_role).empty()) return Serve(absl::GetFlag(FLAGS_role));
  std::string gloo = absl::GetFlag(FLAGS_gloo);
  if (gloo.empty()) gloo = "tests/bench/gloo_allreduce.py";
  if (access(gloo.c_str(), R_OK) != 0) gloo.clear();
  const auto sizes = ParseMib(absl::GetFlag(FLAGS_mib));
  if (!sizes.ok()) {
    std::fprintf(stderr, "exchange: %s\n", std::string(sizes.status().message()).c_str());
    return kExitUsage;
  }
  JsonRows rows("exchange");
  for (const size_t mib : *sizes) {
    if (absl::Status status = MeasureSize(mib, gloo, rows); !status.ok()) {
      std::fprintf(stderr, "exchange: %s\n", status.ToString().c_str());
      return ExitCodeFor(status);
    }
  }
  return kExitOk;
}

}  // namespace
}  // namespace starling

int main(int argc, char** argv) { return starling::Main(argc, argv); }
