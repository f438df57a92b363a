// What can be seen of a simulation.

#include <cmath>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "peer/runtime/check.h"
#include "tests/sim/simulation.h"
#include "tests/sim/simulation_sums.h"

namespace starling {

absl::optional<absl::Time> Simulation::calm_since() const {
  if (!network_.options().clean() || !network_.healed() || !network_.links_clean()) {
    return absl::nullopt;
  }
  if (unintroduced_) return absl::nullopt;
  if (coordinator_ != nullptr && (coordinator_->paused() || coordinator_->processes() > 1)) {
    return absl::nullopt;
  }
  for (const SimPeer* peer : living()) {
    if (peer->paused() || peer->leaving()) return absl::nullopt;
  }
  return disturbed_;
}

const SimPeer& Simulation::peer(int node) const {
  STARLING_CHECK(nodes_[node].process != nullptr);
  return *nodes_[node].process;
}

std::vector<const SimPeer*> Simulation::living() const {
  std::vector<const SimPeer*> peers;
  for (const Node& node : nodes_) {
    if (node.process != nullptr) peers.push_back(node.process.get());
  }
  return peers;
}

std::vector<const SimPeer*> Simulation::Trained() const {
  std::vector<const SimPeer*> peers = living();
  std::erase_if(peers, [](const SimPeer* peer) { return !peer->trained(); });
  return peers;
}

std::vector<double> Simulation::Mean() const {
  const std::vector<const SimPeer*> peers = Trained();
  std::vector<double> mean(workload_.parameters);
  for (const SimPeer* peer : peers) {
    const absl::Span<const float> parameters = peer->parameters();
    for (size_t i = 0; i < mean.size(); ++i) {
      mean[i] += parameters[i] / static_cast<double>(peers.size());
    }
  }
  return mean;
}

double Simulation::ConsensusDistance() const {
  const std::vector<const SimPeer*> peers = Trained();
  if (peers.empty()) return 0;
  const std::vector<double> mean = Mean();
  double squares = 0;
  for (const SimPeer* peer : peers) {
    const absl::Span<const float> parameters = peer->parameters();
    for (size_t i = 0; i < mean.size(); ++i) {
      const double distance = parameters[i] - mean[i];
      squares += distance * distance;
    }
  }
  return std::sqrt(squares / static_cast<double>(peers.size()));
}

double Simulation::DistanceFromOptimum() const {
  if (workload_.optimum.empty()) return std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> mean = Mean();
  double squares = 0;
  for (size_t i = 0; i < mean.size(); ++i) {
    squares += (mean[i] - workload_.optimum[i]) * (mean[i] - workload_.optimum[i]);
  }
  return std::sqrt(squares);
}

v1::GossipStatus Simulation::TotalGossip() const {
  v1::GossipStatus total = past_gossip_;
  for (const SimPeer* peer : living()) AddTo(total, peer->Status().gossip());
  return total;
}

SimTraffic Simulation::TotalTraffic() const {
  SimTraffic total = past_traffic_;
  for (const SimPeer* peer : living()) total += peer->traffic();
  return total;
}

std::vector<std::string> Simulation::complaints() const {
  std::vector<std::string> all;
  for (const auto& checker : checkers_) {
    for (const std::string& complaint : checker->complaints()) {
      all.push_back(absl::StrCat(checker->name(), ": ", complaint));
    }
  }
  for (size_t node = 0; node < nodes_.size(); ++node) {
    if (nodes_[node].ended.ok()) continue;
    all.push_back(absl::StrCat("life: peer ", node, " ended by itself: ",
                               nodes_[node].ended.message()));
  }
  return all;
}

uint64_t Simulation::TraceHash() {
  for (const SimPeer* peer : living()) {
    for (const float parameter : peer->parameters()) {
      uint32_t bits;
      std::memcpy(&bits, &parameter, sizeof(bits));
      world_.trace().Add({bits});
    }
  }
  return world_.trace().value();
}

}  // namespace starling
