// growth: what a communication costs a peer as the swarm grows.
//
//   bazel run //tests/reproduction:growth -- --out=$PWD/docs/reproduction
//
// Swarms of 4 to 1,024 peers make the same few steps in the simulator, each step with one exchange or round.
// Counted is from when all of them know all and have warmed up until each has made its steps. What they send
// while views differ, when a contribution may go to somebody whom others do not think its owner and is sent again, is
// not.
// Prints and writes, for each algorithm and size, bytes of parameters and frames per peer and communication, in
// the mean and of the busiest peer. Nothing in it is a measurement of time: the same command gives the same
// figures anywhere.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "peer/runtime/exit_codes.h"
#include "peer/runtime/flags.h"
#include "tests/reproduction/svg_plot.h"
#include "tests/sim/simulation.h"

ABSL_FLAG(std::string, out, "",
          "directory for growth.csv and growth.svg, written anew after each size; empty: print only");
ABSL_FLAG(std::string, known, "",
          "growth.csv of an earlier run: its rows are written and plotted with the new ones, which replace their like");
ABSL_FLAG(std::vector<std::string>, peers, (std::vector<std::string>{"4", "16", "64", "256", "1024"}),
          "sizes of the swarm");
ABSL_FLAG(std::vector<std::string>, algorithms,
          (std::vector<std::string>{"elastic_gossip:p=1", "sgp", "allreduce_sgd:resync=0"}),
          "what to measure");
ABSL_FLAG(int, communications, 0,
          "steps of each peer that count, at least; every one of them communicates; "
          "0: 50 of up to 64 peers, fewer of more, 4 from 800 on");
ABSL_FLAG(int, warm_up, 2, "steps of each peer, at least, between when all know all and those that count");

namespace starling {
namespace {

constexpr uint32_t kParameters = 4096;
constexpr uint32_t kShard = 256;  // 16 shards
constexpr absl::Duration kTellEvery = absl::Seconds(20);

struct Row {
  std::string algorithm;
  int peers = 0;
  double communications = 0;  // per peer: exchanges started and committed, or rounds
  double models = 0;          // parameters sent per peer and communication, in model sizes
  double frames = 0;          // sent per peer and communication
  double busiest_frames = 0;  // of the peer that sent most
  double seconds = 0;         // of real time, for the reader's patience
};

struct Sent {
  uint64_t communications = 0;
  SimTraffic traffic;
  std::map<int, uint64_t> frames;  // by node
};

Sent SentBy(const Simulation& simulation) {
  Sent sent;
  sent.traffic = simulation.TotalTraffic();
  for (const SimPeer* peer : simulation.living()) {
    const v1::Status& status = peer->Status();
    sent.communications +=
        status.gossip().exchanges_committed() + status.rounds().rounds_complete();
    sent.frames[peer->spec().node] = peer->traffic().frames;
  }
  return sent;
}

// Peers that hold every peer for ALIVE.
int KnowAll(const Simulation& simulation) {
  const std::vector<const SimPeer*> living = simulation.living();
  const auto who = std::count_if(living.begin(), living.end(), [&](const SimPeer* peer) {
    const auto& known = peer->Status().peers();
    const auto alive = std::count_if(known.begin(), known.end(), [](const v1::PeerStatus& other) {
      return other.state() == v1::PEER_STATE_ALIVE;
    });
    return static_cast<size_t>(alive) == living.size();
  });
  return static_cast<int>(who);
}

absl::StatusOr<Row> Measure(const std::string& algorithm, int peers) {
  SimulationOptions options;
  options.algorithm = algorithm;
  options.peers = peers;
  options.dimension = kParameters;
  options.shard_elements = kShard;
  options.examples = static_cast<uint32_t>(std::max(600, 8 * peers));
  options.check = false;
  options.membership.ping_interval = absl::Seconds(5);
  options.membership.ping_timeout = absl::Seconds(2);
  options.BecomePatient();
  // Peers begin when they know all, one sooner than another: by less than this.
  constexpr absl::Duration kStep = absl::Seconds(2);
  options.step_time = std::max(kStep, options.membership.ping_interval / 8);
  // Steps differ by as much in swarms of all sizes, so that as much is sent again while others wait.
  options.step_jitter *= absl::FDivDuration(kStep, options.step_time);
  const absl::Time began = absl::Now();
  auto simulation = Simulation::Create(options);
  if (!simulation.ok()) return simulation.status();
  std::map<int, uint64_t> goals;
  const auto aim = [&](uint64_t further) {
    for (const SimPeer* peer : (*simulation)->living()) {
      goals[peer->spec().node] = peer->steps() + further;
    }
  };
  absl::Time told = began;
  const auto time_to_tell = [&] {
    const bool late = absl::Now() - told >= kTellEvery;
    if (late) told = absl::Now();
    return late;
  };
  const auto tell = [&](absl::string_view how_far) {
    std::fprintf(stderr, "growth: %s, %d peers: %s of virtual time, %s\n", algorithm.c_str(), peers,
                 absl::FormatDuration(absl::Trunc((*simulation)->elapsed(), absl::Seconds(1))).c_str(),
                 std::string(how_far).c_str());
  };
  const auto reached = [&] {
    const std::vector<const SimPeer*> living = (*simulation)->living();
    if (time_to_tell()) {
      const auto late = std::count_if(living.begin(), living.end(), [&](const SimPeer* peer) {
        return peer->steps() < goals[peer->spec().node];
      });
      const auto [least, most] = std::minmax_element(
          living.begin(), living.end(),
          [](const SimPeer* a, const SimPeer* b) { return a->steps() < b->steps(); });
      tell(absl::StrCat("steps ", (*least)->steps(), " to ", (*most)->steps(), ", ", late, " not there yet"));
    }
    return std::all_of(living.begin(), living.end(), [&](const SimPeer* peer) {
      return peer->steps() >= goals[peer->spec().node];
    });
  };
  const absl::Duration look_every = options.membership.ping_interval / 2;
  int know_all = KnowAll(**simulation);
  while (know_all < peers && (*simulation)->elapsed() < absl::Hours(4)) {
    (*simulation)->RunFor(look_every);
    know_all = KnowAll(**simulation);
    if (time_to_tell()) tell(absl::StrCat(know_all, " know all"));
  }
  aim(static_cast<uint64_t>(absl::GetFlag(FLAGS_warm_up)));
  const bool warm = know_all == peers && (*simulation)->RunUntil(reached, absl::Hours(4));
  const Sent before = SentBy(**simulation);
  const int communications = absl::GetFlag(FLAGS_communications);
  aim(static_cast<uint64_t>(communications > 0 ? communications : std::clamp(3200 / peers, 4, 50)));
  if (!warm || !(*simulation)->RunUntil(reached, absl::Hours(4))) {
    return absl::DeadlineExceededError(absl::StrCat(algorithm, " with ", peers, " peers is not done"));
  }
  const Sent after = SentBy(**simulation);

  Row row;
  row.algorithm = algorithm;
  row.peers = peers;
  const double total =
      std::max(1.0, static_cast<double>(after.communications - before.communications));
  uint64_t busiest = 0;
  for (const auto& [node, frames] : after.frames) {
    const auto earlier = before.frames.find(node);
    busiest = std::max(busiest, frames - (earlier == before.frames.end() ? 0 : earlier->second));
  }
  row.communications = total / peers;
  row.models = static_cast<double>(after.traffic.payload_bytes - before.traffic.payload_bytes) /
               (kParameters * sizeof(float)) / total;
  row.frames = static_cast<double>(after.traffic.frames - before.traffic.frames) / total;
  row.busiest_frames = static_cast<double>(busiest) / row.communications;
  row.seconds = absl::ToDoubleSeconds(absl::Now() - began);
  return row;
}

// Rows of a growth.csv. NOT_FOUND, INVALID_ARGUMENT.
absl::StatusOr<std::vector<Row>> ReadRows(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat("--known: cannot read ", path));
  std::vector<Row> rows;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    const std::vector<std::string> fields = absl::StrSplit(line, ',');
    Row& row = rows.emplace_back();
    row.algorithm = fields.front();
    if (fields.size() != 6 || !absl::SimpleAtoi(fields[1], &row.peers) ||
        !absl::SimpleAtod(fields[2], &row.communications) ||
        !absl::SimpleAtod(fields[3], &row.models) || !absl::SimpleAtod(fields[4], &row.frames) ||
        !absl::SimpleAtod(fields[5], &row.busiest_frames)) {
      return absl::InvalidArgumentError(absl::StrCat("--known: ", path, ": no row: \"", line, "\""));
    }
  }
  return rows;
}

LinePlot PlotOf(const std::vector<Row>& rows) {
  LinePlot plot;
  plot.title = "frames sent by the busiest peer for one communication";
  plot.x_label = "peers";
  plot.y_label = "frames";
  plot.log_x = true;
  plot.log_y = true;
  for (const Row& row : rows) {
    if (plot.lines.empty() || plot.lines.back().name != row.algorithm) {
      plot.lines.push_back({row.algorithm, {}});
    }
    plot.lines.back().points.push_back({static_cast<double>(row.peers), row.busiest_frames, 0});
  }
  return plot;
}

// Both files, in --out. UNAVAILABLE: they cannot be written.
absl::Status Write(std::vector<Row> rows) {
  const std::string out = absl::GetFlag(FLAGS_out);
  if (out.empty()) return absl::OkStatus();
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::tie(a.algorithm, a.peers) < std::tie(b.algorithm, b.peers);
  });
  std::ofstream csv_file(absl::StrCat(out, "/growth.csv"));
  csv_file << "algorithm,peers,communications_per_peer,models_sent,frames_sent,busiest_frames\n";
  for (const Row& row : rows) {
    csv_file << absl::StrFormat("%s,%d,%.3f,%.4f,%.2f,%.2f\n", row.algorithm, row.peers,
                                row.communications, row.models, row.frames, row.busiest_frames);
  }
  std::ofstream svg_file(absl::StrCat(out, "/growth.svg"));
  svg_file << RenderSvg(PlotOf(rows));
  if (csv_file.flush() && svg_file.flush()) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("--out: cannot write to ", out, "; create the directory first"));
}

int Main(int argc, char** argv) {
  static const FlagScope& scope = *new FlagScope{{"tests/reproduction/growth_main.cc"}};
  const auto positional = ParseFlags(argc, argv, scope);
  if (absl::IsCancelled(positional.status())) {
    std::printf("growth: what a communication costs a peer as the swarm grows\n\n%s",
                FlagsHelp(scope).c_str());
    return kExitOk;
  }
  if (!positional.ok()) {
    std::fprintf(stderr, "growth: %s\n", std::string(positional.status().message()).c_str());
    return kExitUsage;
  }
  std::vector<Row> rows;
  if (const std::string known = absl::GetFlag(FLAGS_known); !known.empty()) {
    auto read = ReadRows(known);
    if (!read.ok()) {
      std::fprintf(stderr, "growth: %s\n", std::string(read.status().message()).c_str());
      return kExitUsage;
    }
    rows = *std::move(read);
  }
  std::vector<int> sizes;
  for (const std::string& size : absl::GetFlag(FLAGS_peers)) {
    if (!absl::SimpleAtoi(size, &sizes.emplace_back()) || sizes.back() < 2) {
      std::fprintf(stderr, "growth: --peers: \"%s\" is not a number of peers, 2 or more\n", size.c_str());
      return kExitUsage;
    }
  }
  const auto fail = [](const absl::Status& status) {
    std::fprintf(stderr, "growth: %s\n", std::string(status.message()).c_str());
    return kExitOther;
  };
  // What cannot be written is said before an hour of measuring.
  if (absl::Status written = Write(rows); !written.ok()) return fail(written);
  std::printf("%-22s %6s %8s %8s %8s %9s %8s\n", "algorithm", "peers", "comms", "models", "frames",
              "busiest", "seconds");
  for (const std::string& algorithm : absl::GetFlag(FLAGS_algorithms)) {
    for (const int peers : sizes) {
      const auto row = Measure(algorithm, peers);
      if (!row.ok()) return fail(row.status());
      std::erase_if(rows, [&](const Row& known) {
        return known.algorithm == algorithm && known.peers == peers;
      });
      rows.push_back(*row);
      std::printf("%-22s %6d %8.2f %8.3f %8.1f %9.1f %8.1f\n", algorithm.c_str(), peers,
                  row->communications, row->models, row->frames, row->busiest_frames, row->seconds);
      std::fflush(stdout);
      if (absl::Status written = Write(rows); !written.ok()) return fail(written);
    }
  }
  return kExitOk;
}

}  // namespace
}  // namespace starling

int main(int argc, char** argv) { return starling::Main(argc, argv); }
