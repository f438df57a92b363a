#include "tests/sim/safety_then_healing.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "absl/strings/str_cat.h"
#include "tests/sim/chaos.h"
#include "tests/sim/checkers.h"
#include "tests/sim/declared.h"
#include "tests/sim/life_checkers.h"

namespace starling {
namespace {

void Repair(Simulation& simulation) {
  SimNetworkOptions network = simulation.options().network;
  network.loss = network.duplication = network.corruption = 0;
  simulation.SetNetwork(network);
  simulation.ClearLinks();
  // Those that left on purpose come back only if the swarm could not start without them, or if there
  // is no coordinator and their addresses are what others were given to find it.
  const int meeting_points = simulation.options().coordinator ? 0 : 2;
  // Whoever is still on the way out is not counted, and may be needed back.
  simulation.RunUntil(
      [&simulation] {
        const std::vector<const SimPeer*> present = simulation.living();
        return std::none_of(present.begin(), present.end(),
                            [](const SimPeer* peer) { return peer->leaving(); });
      },
      absl::Seconds(10));
  size_t living = simulation.living().size();
  for (const bool also_departed : {false, true}) {
    for (size_t node = 0; node < simulation.nodes().size(); ++node) {
      const Simulation::Node& each = simulation.nodes()[node];
      const bool leaves = each.departed && static_cast<int>(node) >= meeting_points;
      if (each.process != nullptr || each.cloned || (leaves && !also_departed)) continue;
      if (also_departed && living >= simulation.config().min_peers()) return;
      simulation.Restart(static_cast<int>(node));
      ++living;
    }
  }
}

uint64_t Mixes(const SimPeer& peer) {
  const v1::Status& status = peer.Status();
  return status.gossip().exchanges_committed() + status.gossip().exchanges_answered() +
         status.averaging().rounds_complete() + status.rounds().rounds_complete();
}

uint64_t TotalMixes(const Simulation& simulation) {
  uint64_t mixes = 0;
  for (const SimPeer* peer : simulation.living()) mixes += Mixes(*peer);
  return mixes;
}

// The slowest needs that many times as long for its share of the mixing, while the others go on.
double Slowest(const Simulation& simulation) {
  double slowest = 1;
  for (const SimPeer* peer : simulation.living()) {
    slowest = std::max(slowest, peer->spec().slowness);
  }
  return slowest;
}

bool StillTrains(const SimPeer& peer) {
  return peer.phase() != v1::PHASE_FINISHED && !peer.Status().centre();
}

}  // namespace

std::vector<std::string> RunSafetyThenHealing(Simulation& simulation,
                                              const SafetyThenHealingOptions& options) {
  std::vector<std::string> wrong;
  RunChaos(simulation, options.safety, options.chaos_interval,
           Random(simulation.options().seed).Split("chaos"));
  HealAndJudge(simulation, options, &wrong);
  for (std::string& complaint : simulation.complaints()) wrong.push_back(std::move(complaint));
  return wrong;
}

void HealAndJudge(Simulation& simulation, const SafetyThenHealingOptions& options,
                  std::vector<std::string>* wrong) {
  Repair(simulation);
  // The membership checker judges from here on.
  simulation.RunFor(MembershipBound(simulation.options()) + simulation.options().look_every);

  if (!simulation.calm_since()) wrong->push_back("healing: the world did not become calm");

  std::map<uint64_t, uint64_t> steps;
  for (const SimPeer* peer : simulation.living()) steps[peer->spec().process] = peer->steps();
  const uint64_t mixes = TotalMixes(simulation);
  const uint64_t payload = simulation.TotalTraffic().payload_bytes;
  const double distance = simulation.ConsensusDistance();
  const Declared declared = DeclaredBy(simulation.config());
  const bool communicates = simulation.options().learn ? declared.communicates
                                                       : declared.communicates_without_gradients;
  const bool contracts = declared.contracts && !simulation.options().learn;
  const double enough =
      declared.halves_in * Slowest(simulation) * static_cast<double>(simulation.living().size());
  auto mixed = [&] { return TotalMixes(simulation) - mixes; };
  auto exchanged = [&] {
    return mixed() > 0 && simulation.TotalTraffic().payload_bytes > payload;
  };
  auto all_step = [&] {
    for (const SimPeer* peer : simulation.living()) {
      if (StillTrains(*peer) && peer->steps() <= steps[peer->spec().process]) return false;
    }
    return true;
  };
  const double rounding = 1e-5 * std::sqrt(static_cast<double>(simulation.workload().parameters));
  auto nearer = [&] { return simulation.ConsensusDistance() <= 0.5 * distance + rounding; };
  simulation.RunUntil(
      [&] {
        return all_step() && (!communicates || exchanged()) && (!contracts || nearer());
      },
      options.good_within);

  for (const SimPeer* peer : simulation.living()) {
    if (!StillTrains(*peer) || peer->steps() > steps[peer->spec().process]) continue;
    wrong->push_back(absl::StrCat("healing: peer ", peer->spec().node, " (",
                                 v1::Phase_Name(peer->phase()), ") made no step within ",
                                 absl::FormatDuration(options.good_within), " of calm"));
  }
  const std::vector<const SimPeer*> living = simulation.living();
  const bool finished = std::none_of(living.begin(), living.end(),
                                     [](const SimPeer* peer) { return StillTrains(*peer); });
  if (communicates && !finished && !exchanged()) {
    wrong->push_back(absl::StrCat("healing: nothing was exchanged within ",
                                 absl::FormatDuration(options.good_within), " of calm"));
  }
  if (contracts && static_cast<double>(mixed()) >= enough && !nearer()) {
    wrong->push_back(absl::StrCat("contraction: the distance between peers was ", distance,
                                 " and is ", simulation.ConsensusDistance(), " after ", mixed(),
                                 " exchanges and rounds of ", living.size(), " peers"));
  }
}

}  // namespace starling
