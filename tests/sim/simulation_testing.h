// What tests of whole swarms share.

#ifndef STARLING_TESTS_SIM_SIMULATION_TESTING_H_
#define STARLING_TESTS_SIM_SIMULATION_TESTING_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "peer/runtime/check.h"
#include "tests/sim/checkers.h"
#include "tests/sim/simulation.h"

namespace starling {

inline std::unique_ptr<Simulation> Build(const SimulationOptions& options) {
  auto simulation = Simulation::Create(options);
  EXPECT_TRUE(simulation.ok()) << simulation.status();
  STARLING_CHECK(simulation.ok());
  return *std::move(simulation);
}

// `expected` is the beginning of complaints that belong to the test.
inline void ExpectNoComplaints(const Simulation& simulation,
                               const std::vector<std::string>& expected = {}) {
  bool failed = false;
  for (const std::string& complaint : simulation.complaints()) {
    if (std::any_of(expected.begin(), expected.end(), [&](const std::string& prefix) {
          return complaint.rfind(prefix, 0) == 0;
        })) {
      continue;
    }
    ADD_FAILURE() << "seed " << simulation.options().seed << ": " << complaint;
    failed = true;
  }
  if (!failed) return;
  const size_t first = simulation.log().size() - std::min<size_t>(simulation.log().size(), 40);
  std::string tail;
  for (size_t i = first; i < simulation.log().size(); ++i) tail += simulation.log()[i] + "\n";
  ADD_FAILURE() << "the last lines of the log:\n" << tail;
}

// Until every living peer has begun.
inline void AwaitTraining(Simulation& simulation) {
  EXPECT_TRUE(simulation.RunUntil(
      [&] {
        const std::vector<const SimPeer*> living = simulation.living();
        return std::all_of(living.begin(), living.end(),
                           [](const SimPeer* peer) { return peer->trained(); });
      },
      absl::Minutes(1)));
}

// Every living peer has made a step since it was last asked.
inline void ExpectEverybodyTrains(Simulation& simulation,
                                  absl::Duration patience = absl::Seconds(2)) {
  std::vector<std::pair<int, uint64_t>> before;
  for (const SimPeer* peer : simulation.living()) {
    if (peer->Status().centre()) continue;
    before.emplace_back(peer->spec().node, peer->steps());
  }
  simulation.RunFor(patience);
  for (const auto& [node, steps] : before) {
    EXPECT_GT(simulation.peer(node).steps(), steps) << "peer " << node;
  }
}

// Long enough for everybody to agree on who lives.
inline void Settle(Simulation& simulation) {
  simulation.RunFor(MembershipBound(simulation.options()) + absl::Seconds(5));
}

inline SimNetworkOptions Faulty(double loss, double duplication,
                                absl::Duration spread = absl::Milliseconds(20)) {
  SimNetworkOptions network;
  network.loss = loss;
  network.duplication = duplication;
  network.delay_spread = spread;
  return network;
}

inline constexpr uint64_t kSeeds[] = {1, 2, 3};

}  // namespace starling

#endif  // STARLING_TESTS_SIM_SIMULATION_TESTING_H_
