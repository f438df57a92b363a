#include "tests/sim/soak.h"

#include <memory>
#include <utility>

#include "peer/runtime/random.h"

namespace starling {
namespace {

// Deltas that were lost before this share of a life are judged at its end: by then each initiator has long
// made other exchanges, which is when a responder learns that one was in vain.
constexpr double kFirstPart = 0.6;
// Lives shorter than that do not judge them.
constexpr absl::Duration kLongEnough = absl::Minutes(90);

}  // namespace

uint64_t SoakFigures::faults() const {
  uint64_t sum = 0;
  for (const auto& [fault, times] : done) sum += times;
  return sum;
}

SoakFigures& SoakFigures::operator+=(const SoakFigures& more) {
  events += more.events;
  steps += more.steps;
  committed += more.committed;
  given_up += more.given_up;
  rounds += more.rounds;
  superseded += more.superseded;
  hard += more.hard;
  lived += more.lived;
  for (const auto& [fault, times] : more.done) done[fault] += times;
  return *this;
}

std::vector<std::string> RunSoak(Simulation& simulation, const SoakPlan& plan, absl::Duration life,
                                 SoakFigures* figures) {
  std::vector<std::string> wrong;
  Random random = Random(plan.options.seed).Split("soak life");
  Nemesis nemesis(simulation, plan.nemesis, random.Split("nemesis"));
  constexpr absl::Duration kSample = absl::Seconds(30);
  const auto lived = std::make_shared<absl::Duration>();
  simulation.Every(kSample, [lived](const Simulation& seen) {
    *lived += static_cast<double>(seen.living().size()) * kSample;
  });
  bool marked = false;
  // Whatever is wrong stays wrong, and an hour of it tells no more than the first minute.
  while (simulation.elapsed() < life && wrong.empty() && simulation.complaints().empty()) {
    if (!marked && simulation.elapsed() >= kFirstPart * life) {
      marked = true;
      simulation.conservation().MarkUnderway();
    }
    const absl::Duration trouble =
        plan.shortest_trouble +
        random.Uniform() * (plan.longest_trouble - plan.shortest_trouble);
    nemesis.RunFor(trouble);
    figures->hard += trouble;
    HealAndJudge(simulation, plan.healing, &wrong);
  }
  if (wrong.empty() && marked && life >= kLongEnough) {
    simulation.conservation().ExpectOrphansCounted(simulation);
  }
  const v1::GossipStatus gossip = simulation.TotalGossip();
  figures->events = simulation.events_run();
  figures->steps = simulation.TotalSteps();
  figures->committed = gossip.exchanges_committed();
  figures->given_up = gossip.exchanges_failed() + gossip.exchanges_partial();
  for (const SimPeer* peer : simulation.living()) {
    const v1::Status& status = peer->Status();
    figures->rounds += status.rounds().rounds_complete() + status.averaging().rounds_complete();
  }
  figures->superseded = simulation.superseded();
  figures->lived = *lived;
  figures->done = nemesis.done();
  for (std::string& complaint : simulation.complaints()) wrong.push_back(std::move(complaint));
  return wrong;
}

}  // namespace starling
