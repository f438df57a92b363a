#include "peer/cli/chaos_network.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "peer/cli/child_process.h"
#include "peer/cli/temp_directory.h"

namespace starling {
namespace {

constexpr char kOwnNamespace[] = "/proc/thread-self/ns/net";
constexpr char kTable[] = "starling_chaos";
constexpr int kHub = -1;
constexpr absl::Duration kToolWait = absl::Seconds(10);
constexpr absl::Duration kToolPoll = absl::Milliseconds(2);
constexpr char kNeedsRoot[] = "needs root, to make network namespaces";

absl::StatusOr<std::string> FindTool(const std::string& name) {
  for (const char* directory : {"/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"}) {
    std::string path = absl::StrCat(directory, name);
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return absl::UnavailableError(
      absl::StrCat("needs the program ", name, "; apt-get install ",
                   name == "nft" ? "nftables" : "iproute2"));
}

// Moves this thread into a new namespace and returns a descriptor of it.
absl::StatusOr<int> NewNamespace() {
  if (unshare(CLONE_NEWNET) != 0) {
    return absl::UnavailableError(absl::StrCat(kNeedsRoot, ": ", std::strerror(errno)));
  }
  const int fd = open(kOwnNamespace, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return absl::UnavailableError(absl::StrCat(kOwnNamespace, ": ", std::strerror(errno)));
  }
  return fd;
}

absl::Status Forward() {
  std::FILE* file = std::fopen("/proc/sys/net/ipv4/ip_forward", "w");
  const bool written = file != nullptr && std::fputs("1", file) >= 0;
  if (file == nullptr || std::fclose(file) != 0 || !written) {
    return absl::UnavailableError(
        "cannot write /proc/sys/net/ipv4/ip_forward, so nodes cannot meet");
  }
  return absl::OkStatus();
}

std::string Cable(int node) { return absl::StrCat("cable", node); }

}  // namespace

ChaosNetwork::ChaosNetwork(int nodes, std::string work_directory)
    : work_directory_(std::move(work_directory)), namespaces_(nodes, -1) {}

ChaosNetwork::~ChaosNetwork() {
  for (int fd : namespaces_) {
    if (fd >= 0) close(fd);
  }
}

std::string ChaosNetwork::address(int node) const { return absl::StrCat("10.77.", node, ".2"); }

absl::StatusOr<std::unique_ptr<ChaosNetwork>> ChaosNetwork::Enter(
    int nodes, const std::string& work_directory) {
  for (const char* tool : {"ip", "tc", "nft"}) {
    if (absl::StatusOr<std::string> found = FindTool(tool); !found.ok()) return found.status();
  }
  absl::StatusOr<int> hub = NewNamespace();
  if (!hub.ok()) return hub.status();
  std::unique_ptr<ChaosNetwork> network(new ChaosNetwork(nodes, work_directory));
  for (int node = 0; node < nodes; ++node) {
    absl::StatusOr<int> made = NewNamespace();
    if (made.ok()) network->namespaces_[node] = *made;
    if (setns(*hub, CLONE_NEWNET) != 0 || !made.ok()) {
      close(*hub);
      return absl::UnavailableError(kNeedsRoot);
    }
  }
  close(*hub);
  if (absl::Status built = network->Build(); !built.ok()) return built;
  return network;
}

absl::Status ChaosNetwork::Build() {
  if (absl::Status status = Tool(kHub, "ip", {"link", "set", "lo", "up"}); !status.ok()) {
    return status;
  }
  if (absl::Status status = Forward(); !status.ok()) return status;
  for (int node = 0; node < nodes(); ++node) {
    if (absl::Status status = AddNode(node); !status.ok()) return status;
  }
  // Now rather than at the first fault, so that a kernel that cannot is found out before the swarm.
  return LosePackets(0);
}

absl::Status ChaosNetwork::AddNode(int node) {
  const std::string cable = Cable(node);
  const std::string gateway = absl::StrCat("10.77.", node, ".1");
  const std::string place = absl::StrCat("/proc/", getpid(), "/fd/", namespaces_[node]);
  const std::vector<std::pair<int, std::vector<std::string>>> steps = {
      {kHub, {"link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", place}},
      {kHub, {"address", "add", absl::StrCat(gateway, "/24"), "dev", cable}},
      {kHub, {"link", "set", cable, "up"}},
      {node, {"link", "set", "lo", "up"}},
      {node, {"address", "add", absl::StrCat(address(node), "/24"), "dev", "eth0"}},
      {node, {"link", "set", "eth0", "up"}},
      {node, {"route", "add", "default", "via", gateway}},
  };
  for (const auto& [where, arguments] : steps) {
    if (absl::Status status = Tool(where, "ip", arguments); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ChaosNetwork::Tool(int node, const std::string& program,
                                std::vector<std::string> arguments) {
  const absl::StatusOr<std::string> path = FindTool(program);
  if (!path.ok()) return path.status();
  const std::string log = absl::StrCat(work_directory_, "/network.log");
  const std::string line = absl::StrCat(program, " ", absl::StrJoin(arguments, " "));
  absl::StatusOr<ChildProcess> process =
      ChildProcess::Spawn({.program = *path,
                           .arguments = std::move(arguments),
                           .log_path = log,
                           .network_namespace = node == kHub ? -1 : namespaces_[node]});
  if (!process.ok()) return absl::UnavailableError(process.status().message());
  const absl::Time end = absl::Now() + kToolWait;
  while (process->running() && absl::Now() < end) absl::SleepFor(kToolPoll);
  if (process->running()) return absl::UnavailableError(absl::StrCat(line, ": does not end"));
  if (process->Poll()->ok()) return absl::OkStatus();
  const std::vector<std::string> words = LastLines(log, 1);
  return absl::UnavailableError(absl::StrCat(line, ": ", words.empty() ? "failed" : words.front()));
}

absl::Status ChaosNetwork::Filter(const std::vector<std::string>& rules) {
  // One transaction: the old table, if any, is replaced by the new one at once.
  std::string script = absl::StrCat("add table ip ", kTable, "\ndelete table ip ", kTable,
                                    "\ntable ip ", kTable, " {\n  chain between_nodes {\n",
                                    "    type filter hook forward priority 0\n");
  for (const std::string& rule : rules) absl::StrAppend(&script, "    ", rule, "\n");
  absl::StrAppend(&script, "  }\n}\n");
  return Tool(kHub, "nft", {script});
}

std::string ChaosNetwork::AddressSet(const std::vector<int>& nodes) const {
  return absl::StrCat("{ ",
                      absl::StrJoin(nodes, ", ",
                                    [this](std::string* out, int node) {
                                      absl::StrAppend(out, address(node));
                                    }),
                      " }");
}

absl::Status ChaosNetwork::Partition(const std::vector<int>& left, const std::vector<int>& right) {
  const std::string a = AddressSet(left);
  const std::string b = AddressSet(right);
  return Filter({absl::StrCat("ip saddr ", a, " ip daddr ", b, " drop"),
                 absl::StrCat("ip saddr ", b, " ip daddr ", a, " drop")});
}

absl::Status ChaosNetwork::DropOneWay(const std::vector<int>& from, const std::vector<int>& to) {
  return Filter({absl::StrCat("ip saddr ", AddressSet(from), " ip daddr ", AddressSet(to), " drop")});
}

absl::Status ChaosNetwork::LosePackets(int per_cent) {
  return Filter({absl::StrCat("numgen random mod 100 < ", per_cent, " drop")});
}

absl::Status ChaosNetwork::SlowDown(int node, int megabits_per_second) {
  const std::string rate = absl::StrCat(megabits_per_second, "mbit");
  slowed_.push_back(node);
  for (const auto& [where, device] : std::vector<std::pair<int, std::string>>{
           {kHub, Cable(node)}, {node, "eth0"}}) {
    absl::Status status = Tool(where, "tc", {"qdisc", "replace", "dev", device, "root", "tbf", "rate",
                                             rate, "burst", "32kb", "latency", "400ms"});
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ChaosNetwork::Heal() {
  absl::Status healed = Filter({});
  for (int node : std::exchange(slowed_, {})) {
    healed.Update(Tool(kHub, "tc", {"qdisc", "delete", "dev", Cable(node), "root"}));
    healed.Update(Tool(node, "tc", {"qdisc", "delete", "dev", "eth0", "root"}));
  }
  return healed;
}

}  // namespace starling
