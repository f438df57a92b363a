// A swarm of real daemons that trains, for tests that then do it harm.

#ifndef STARLING_TESTS_CHAOS_SWARM_H_
#define STARLING_TESTS_CHAOS_SWARM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proto/status.pb.h"
#include "tests/integration/daemon.h"

namespace starling {

bool Trains(const v1::Status& status);

// Each is true once `status` tells of that many more than at the first call.
class MoreSteps {
 public:
  explicit MoreSteps(uint64_t steps) : steps_(steps) {}
  bool operator()(const v1::Status& status);

 private:
  const uint64_t steps_;
  uint64_t first_ = UINT64_MAX;
};

class MoreExchanges {
 public:
  explicit MoreExchanges(uint64_t exchanges) : exchanges_(exchanges) {}
  bool operator()(const v1::Status& status);

 private:
  const uint64_t exchanges_;
  uint64_t first_ = UINT64_MAX;
};

// A TCP port of 127.0.0.1 on which nobody listens at this moment.
int FreePort();

// A coordinator and peers that train for as long as anybody watches, slowly enough for a small
// machine: 100 steps a second each, a quarter of them followed by an exchange.
class RealSwarm {
 public:
  // Starts a coordinator that waits for `peers` of them; each wrapper as for Daemon. `run`: flags of
  // the coordinator that take the place of the usual ones.
  explicit RealSwarm(int peers, const std::vector<std::string>& coordinator_wrapper = {},
                     const std::vector<std::string>& run = {});

  // Kills the coordinator; another one takes its address. It knows nothing of the first.
  void ReplaceCoordinator(const std::vector<std::string>& flags = {});
  // A peer that is not counted among those below.
  std::unique_ptr<Daemon> NewPeer(const std::vector<std::string>& flags = {},
                                  const std::vector<std::string>& wrapper = {});
  Daemon& Add(const std::vector<std::string>& flags = {},
              const std::vector<std::string>& wrapper = {});
  // Adds plain peers until there are as many as the coordinator waits for. False, with the log of
  // whom it concerns as a test failure: somebody did not come to train.
  bool Start();

  Daemon& coordinator() { return *coordinator_; }
  Daemon& peer(int i) { return *peers_[i]; }
  int size() const { return static_cast<int>(peers_.size()); }

 private:
  const int wanted_;
  std::vector<std::string> run_;
  std::unique_ptr<Daemon> coordinator_;
  std::vector<std::unique_ptr<Daemon>> peers_;
};

// Whether each of `peers` makes `steps` more; a test failure names who does not, with its status.
bool AllGoOn(RealSwarm& swarm, const std::vector<int>& peers, uint64_t steps = 50);

// Whether `program` can be found on the PATH of this process.
bool HasProgram(const std::string& program);

}  // namespace starling

#endif  // STARLING_TESTS_CHAOS_SWARM_H_
