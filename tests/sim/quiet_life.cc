#include "tests/sim/quiet_life.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/runtime/check.h"
#include "tests/sim/declared.h"

namespace starling {
namespace {

constexpr double kTolerance = 1e-4;

struct Sums {
  double mass = 0;
  std::vector<double> weighted;  // weight times values; the weights are 1 unless they move
  double absolute = 0;
};

// At the start all weights are 1, whatever the status of a peer that has not begun says.
Sums SumsOf(const Simulation& simulation, bool weighted) {
  Sums sums;
  for (const SimPeer* peer : simulation.living()) {
    const double mass = weighted ? peer->Status().gossip().mass() : 1;
    const absl::Span<const float> parameters = peer->parameters();
    sums.mass += mass;
    sums.weighted.resize(parameters.size());
    for (size_t i = 0; i < parameters.size(); ++i) {
      sums.weighted[i] += mass * parameters[i];
      sums.absolute += std::abs(mass * parameters[i]);
    }
  }
  return sums;
}

double RootMeanSquareDistance(const Simulation& simulation) {
  const std::vector<const SimPeer*> peers = simulation.living();
  const Sums sums = SumsOf(simulation, false);
  double squares = 0;
  for (const SimPeer* peer : peers) {
    for (size_t i = 0; i < sums.weighted.size(); ++i) {
      const double mean = sums.weighted[i] / static_cast<double>(peers.size());
      squares += std::pow(peer->parameters()[i] - mean, 2);
    }
  }
  return std::sqrt(squares / static_cast<double>(peers.size()));
}

// The swarm as it was when everybody was there and nothing was mixed yet.
struct Beginning {
  Sums sums;
  double distance = 0;
  bool over = false;
  // Somebody took a copy of another's parameters afterwards.
  bool late_copy = false;

  void Take(const Simulation& simulation) {
    sums = SumsOf(simulation, false);
    distance = RootMeanSquareDistance(simulation);
  }
};

bool AnyRoundIsComplete(const Simulation& simulation) {
  const std::vector<const SimPeer*> peers = simulation.living();
  return std::any_of(peers.begin(), peers.end(), [](const SimPeer* peer) {
    return peer->Status().rounds().rounds_complete() > 0;
  });
}

// A newcomer copies whoever was there a moment earlier. With rounds that is over when the first step is
// made, for nobody steps before everybody is there; and if that step waited for a round, which takes
// longer than a tick, it was over a tick before.
std::shared_ptr<const Beginning> WatchBeginning(Simulation& simulation) {
  constexpr absl::Duration kTick = absl::Microseconds(100);
  const auto beginning = std::make_shared<Beginning>();
  beginning->Take(simulation);
  simulation.Every(kTick, [beginning](const Simulation& seen) {
    if (!beginning->over) {
      beginning->Take(seen);
      return;
    }
    const std::vector<const SimPeer*> peers = seen.living();
    beginning->late_copy |= std::any_of(peers.begin(), peers.end(), [](const SimPeer* peer) {
      return peer->phase() == v1::PHASE_SYNCING;
    });
  });
  simulation.EverySteps(1, [beginning](const Simulation& seen) {
    if (std::exchange(beginning->over, true) || AnyRoundIsComplete(seen)) return;
    beginning->Take(seen);
  });
  return beginning;
}

// Everybody waits for the slowest; a round crosses the network a few times.
absl::Duration EndsWithin(const SimulationOptions& options) {
  const absl::Duration crossing = options.network.delay_floor + 10 * options.network.delay_spread;
  return absl::Seconds(10) + static_cast<double>(options.steps) *
                                 (2 * options.LongestStep() + 6 * crossing);
}

}  // namespace

std::vector<std::string> RunQuietLife(Simulation& simulation, const QuietLifeOptions& options) {
  STARLING_CHECK(simulation.options().steps > 0 && !simulation.options().learn &&
                 simulation.options().network.clean());
  std::vector<std::string> wrong;
  const Declared declared = DeclaredBy(simulation.config());
  const std::shared_ptr<const Beginning> beginning = WatchBeginning(simulation);
  auto finished = [&] {
    const std::vector<const SimPeer*> peers = simulation.living();
    return std::all_of(peers.begin(), peers.end(), [](const SimPeer* peer) {
      return peer->spec().centre || peer->phase() == v1::PHASE_FINISHED;
    });
  };
  const absl::Duration limit = EndsWithin(simulation.options());
  if (!simulation.RunUntil(finished, limit)) {
    for (const SimPeer* peer : simulation.living()) {
      if (peer->spec().centre || peer->phase() == v1::PHASE_FINISHED) continue;
      wrong.push_back(absl::StrCat("end: peer ", peer->spec().node, " has made ", peer->steps(),
                                   " of ", simulation.options().steps, " steps within ",
                                   absl::FormatDuration(limit)));
    }
  }
  // Rounds in the background go on after the last step, until their deadline if somebody leaves them out.
  simulation.RunUntil(
      [&] {
        const std::vector<const SimPeer*> peers = simulation.living();
        return std::none_of(peers.begin(), peers.end(), [](const SimPeer* peer) {
          const v1::AveragingStatus rounds = peer->Status().rounds();
          return rounds.rounds_joined() > rounds.rounds_complete() + rounds.rounds_partial();
        });
      },
      simulation.options().rounds.timing.ceiling);
  simulation.RunFor(options.settle);
  const Sums& start = beginning->sums;
  const double distance = beginning->distance;

  double mixes = 0;
  for (const SimPeer* peer : simulation.living()) {
    const v1::Status& status = peer->Status();
    mixes += static_cast<double>(status.gossip().exchanges_committed() +
                                 status.gossip().exchanges_answered() +
                                 status.rounds().rounds_complete());
    // Who is slow is alone with its last background rounds.
    if (declared.rounds_waited_for == 0 || status.rounds().rounds_partial() == 0) continue;
    wrong.push_back(absl::StrCat("end: peer ", peer->spec().node, " missed somebody in ",
                                 status.rounds().rounds_partial(), " of ",
                                 status.rounds().rounds_joined(), " rounds"));
  }
  const Sums end = SumsOf(simulation, declared.keeps_weighted_sum);
  if (declared.moves_mass && !(std::abs(end.mass - start.mass) <= kTolerance)) {
    wrong.push_back(absl::StrCat("mass: the weights of ", start.mass, " peers sum up to ", end.mass));
  }
  // Where steps wait for rounds nobody may be late.
  const bool late = beginning->late_copy && declared.rounds_waited_for == 0;
  if ((declared.keeps_sum || declared.keeps_weighted_sum) && !late) {
    double drift = 0;
    for (size_t i = 0; i < start.weighted.size(); ++i) {
      drift += std::abs(end.weighted[i] - start.weighted[i]);
    }
    if (!(drift <= kTolerance * start.absolute)) {
      wrong.push_back(absl::StrCat("sum: has drifted by ", drift / start.absolute,
                                   " of its absolute values"));
    }
  }
  const double rounding = 1e-5 * std::sqrt(static_cast<double>(start.weighted.size()));
  const bool often = mixes >= std::max(options.mixes, declared.halves_in) *
                                  static_cast<double>(simulation.living().size());
  const double now = RootMeanSquareDistance(simulation);
  if (declared.contracts && often && !(now <= 0.5 * distance + rounding)) {
    wrong.push_back(absl::StrCat("contraction: the distance between peers was ", distance, " and is ",
                                 now, " after ", mixes, " exchanges and rounds of ",
                                 simulation.living().size(), " peers"));
  }
  for (std::string& complaint : simulation.complaints()) wrong.push_back(std::move(complaint));
  return wrong;
}

}  // namespace starling
