#include "tests/sim/simulate_report.h"

#include <cstdio>
#include <string>

namespace starling {

void PrintReport(Simulation& simulation, absl::Duration took) {
  uint64_t steps = 0;
  uint64_t rounds = 0;
  for (const SimPeer* peer : simulation.living()) {
    steps += peer->steps();
    rounds += peer->Status().averaging().rounds_complete() +
              peer->Status().rounds().rounds_complete();
  }
  const v1::GossipStatus gossip = simulation.TotalGossip();
  const SimNetworkCounters& network = simulation.network().counters();
  std::printf("virtual time        %s in %s, %llu events\n",
              absl::FormatDuration(simulation.elapsed()).c_str(),
              absl::FormatDuration(absl::Trunc(took, absl::Milliseconds(1))).c_str(),
              static_cast<unsigned long long>(simulation.events_run()));
  std::printf("living peers        %zu of %zu, %llu steps\n", simulation.living().size(),
              simulation.nodes().size(), static_cast<unsigned long long>(steps));
  std::printf("exchanges           %llu committed, %llu partial, %llu failed\n",
              static_cast<unsigned long long>(gossip.exchanges_committed()),
              static_cast<unsigned long long>(gossip.exchanges_partial()),
              static_cast<unsigned long long>(gossip.exchanges_failed()));
  std::printf("orphaned deltas     %llu counted, norm %g\n",
              static_cast<unsigned long long>(gossip.orphaned_deltas()),
              gossip.orphaned_delta_norm());
  std::printf("averaging rounds    %llu complete, over all peers\n",
              static_cast<unsigned long long>(rounds));
  std::printf("frames              %llu sent, %llu lost, %llu duplicated, %llu corrupted\n",
              static_cast<unsigned long long>(network.frames),
              static_cast<unsigned long long>(network.lost),
              static_cast<unsigned long long>(network.duplicated),
              static_cast<unsigned long long>(network.corrupted));
  const SimTraffic traffic = simulation.TotalTraffic();
  std::printf("sent                %llu messages, %llu bytes, of them %llu of parameters\n",
              static_cast<unsigned long long>(traffic.messages()),
              static_cast<unsigned long long>(traffic.bytes()),
              static_cast<unsigned long long>(traffic.payload_bytes));
  std::printf("consensus distance  %g\n", simulation.ConsensusDistance());
  std::printf("from the optimum    %g\n", simulation.DistanceFromOptimum());
  std::printf("drift of the sum    %g of its absolute values at worst\n",
              simulation.conservation().worst_relative_drift());
  for (const auto& checker : simulation.checkers()) {
    std::printf("%-19s %s\n", std::string(checker->name()).c_str(),
                checker->complaints().empty() ? "well" : "COMPLAINS");
  }
  std::printf("trace hash          %016llx\n",
              static_cast<unsigned long long>(simulation.TraceHash()));
}

}  // namespace starling
