#include "tests/chaos/swarm.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace starling {
namespace {

bool CountsMore(uint64_t now, uint64_t more, uint64_t& first) {
  if (first == UINT64_MAX) first = now;
  return now >= first + more;
}

}  // namespace

bool Trains(const v1::Status& status) { return status.phase() == v1::PHASE_TRAINING; }

bool MoreSteps::operator()(const v1::Status& status) {
  return CountsMore(status.training().step(), steps_, first_);
}

bool MoreExchanges::operator()(const v1::Status& status) {
  return CountsMore(status.gossip().exchanges_committed(), exchanges_, first_);
}

int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(fd);
  if (!bound) std::abort();
  return ntohs(address.sin_port);
}

RealSwarm::RealSwarm(int peers, const std::vector<std::string>& coordinator_wrapper,
                     const std::vector<std::string>& run)
    : wanted_(peers),
      run_({"--model=mlp", "--data=synthetic", "--epochs=0", "--algorithm=elastic_gossip:p=1/4",
            absl::StrCat("--min_peers=", peers)}) {
  run_.insert(run_.end(), run.begin(), run.end());
  coordinator_ = StartCoordinator(run_, coordinator_wrapper);
}

void RealSwarm::ReplaceCoordinator(const std::vector<std::string>& flags) {
  std::vector<std::string> all = run_;
  all.push_back(absl::StrCat("--listen=", coordinator_->address()));
  all.insert(all.end(), flags.begin(), flags.end());
  coordinator_->Signal(SIGKILL);
  coordinator_->Wait();
  coordinator_ = StartCoordinator(all);
}

std::unique_ptr<Daemon> RealSwarm::NewPeer(const std::vector<std::string>& flags,
                                           const std::vector<std::string>& wrapper) {
  std::vector<std::string> all = {absl::StrCat("--coordinator=", coordinator_->address()),
                                  "--max_steps_per_second=100", "--evaluate_every=0"};
  all.insert(all.end(), flags.begin(), flags.end());
  return StartPeer(all, wrapper);
}

Daemon& RealSwarm::Add(const std::vector<std::string>& flags,
                       const std::vector<std::string>& wrapper) {
  peers_.push_back(NewPeer(flags, wrapper));
  return *peers_.back();
}

bool RealSwarm::Start() {
  while (size() < wanted_) Add();
  for (auto& peer : peers_) {
    if (!WatchUntil(peer->address(), Trains)) {
      ADD_FAILURE() << "does not train:\n" << peer->log();
      return false;
    }
  }
  return true;
}

bool AllGoOn(RealSwarm& swarm, const std::vector<int>& peers, uint64_t steps) {
  bool all = true;
  for (int i : peers) {
    v1::Status last;
    if (WatchUntil(swarm.peer(i).address(), MoreSteps(steps), &last)) continue;
    ADD_FAILURE() << "peer " << i << " stands still: " << last.DebugString();
    all = false;
  }
  return all;
}

bool HasProgram(const std::string& program) {
  const char* path = std::getenv("PATH");
  for (absl::string_view directory : absl::StrSplit(path == nullptr ? "" : path, ':')) {
    if (access(absl::StrCat(directory, "/", program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

}  // namespace starling
