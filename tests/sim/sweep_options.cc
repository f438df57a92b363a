#include "tests/sim/sweep_options.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "peer/runtime/random.h"
#include "tests/sim/declared.h"
#include "tests/sim/draw.h"

namespace starling {
namespace {

constexpr int kFewestPeers = 4;
constexpr int kMostPeers = 8;
// Share of lives in which nothing goes wrong.
constexpr double kQuiet = 0.2;

// Everything happens ten times as fast as on a real network, so that seconds suffice.
void SetPatience(SimulationOptions& options) {
  options.membership.ping_interval = absl::Milliseconds(250);
  options.membership.ping_timeout = absl::Milliseconds(100);
  options.membership.suspicion_multiplier = 3;
  options.membership.suspicion_spread = 3;
  options.membership.gossip_interval = absl::Milliseconds(100);
  options.membership.sync_interval = absl::Seconds(2);
  options.membership.heal_interval = absl::Seconds(1);
  options.coordinator_options.registry.lease = absl::Seconds(1);
  options.coordinator_options.registry.heartbeat = absl::Milliseconds(250);
  options.coordinator_options.call_timeout = absl::Milliseconds(500);
  options.gossip.timing.floor = absl::Milliseconds(300);
  options.gossip.timing.ceiling = absl::Seconds(2);
  options.rounds.timing.floor = absl::Milliseconds(500);
  options.rounds.timing.ceiling = absl::Seconds(2);
  options.averaging_deadline = absl::Seconds(1);
  options.look_every = absl::Milliseconds(250);
}

void DrawWork(Draw draw, SimulationOptions& options) {
  options.peers = draw.Whole(kFewestPeers, kMostPeers);
  options.dimension = static_cast<uint32_t>(draw.Whole(1, 40));
  options.shard_elements = static_cast<uint32_t>(draw.Whole(4, 24));
  options.learn = draw.Chance(0.4);
  if (!options.learn && draw.Chance(0.3)) options.start = SimulationOptions::Start::kEqual;
  options.dirichlet_alpha = draw.Maybe(0.3, 1);
  options.step_time = draw.Millis(8, 25);
  options.step_jitter = draw.Between(0, 0.5);
  options.stragglers = draw.Chance(0.5) ? draw.Whole(1, 2) : 0;
  options.straggler_factor = draw.Between(2, 5);
  if (draw.Chance(0.3)) {
    for (int node = 0; node < options.peers; ++node) {
      options.slowness.push_back(draw.Between(0.5, 2));
    }
  }
  options.coordinator = draw.Chance(0.7);
  if (options.coordinator && draw.Chance(0.2)) {
    options.averaging_period_steps = static_cast<uint64_t>(draw.Whole(40, 150));
  }
}

void DrawNetwork(Draw draw, SimNetworkOptions& network) {
  network.loss = draw.Maybe(0.6, 0.2);
  network.duplication = draw.Maybe(0.5, 0.15);
  network.corruption = draw.Maybe(0.3, 0.05);
  network.delay_floor = draw.Millis(0.1, 3);
  network.delay_spread = draw.Chance(0.3) ? draw.Millis(3, 20) : draw.Millis(0.1, 3);
  if (draw.Chance(0.2)) {
    network.bandwidth.up = draw.Between(50e3, 500e3);
    network.bandwidth.down = draw.Between(50e3, 500e3);
  }
}

std::vector<SweepLink> DrawLinks(Draw draw, int peers) {
  std::vector<SweepLink> links;
  if (draw.Chance(0.6)) return links;
  for (int i = draw.Whole(1, 3); i > 0; --i) {
    SweepLink link{draw.Whole(0, peers - 1), draw.Whole(0, peers - 1), SimLink()};
    if (link.from == link.to) continue;
    link.link = {draw.Between(0.1, 0.9), draw.Millis(0, 20), draw.Millis(0, 20)};
    links.push_back(link);
  }
  return links;
}

// So many steps, on a network of the same speed, and nothing goes wrong.
void MakeQuiet(Draw draw, SimulationOptions& options) {
  options.steps = static_cast<uint64_t>(draw.Whole(24, 60));
  options.learn = false;
  if (options.start == SimulationOptions::Start::kByLearn) {
    options.start = SimulationOptions::Start::kUnlike;
  }
  options.averaging_period_steps = 0;
  // Nobody is to be given up: where rounds are made in pairs, whoever is slow falls further behind those
  // whom it has not met yet, and would be given up in a real life.
  options.rounds.timing.floor = options.rounds.timing.ceiling = absl::Seconds(20);
  options.network.loss = options.network.duplication = options.network.corruption = 0;
}

std::string Describe(const SweepPlan& plan) {
  const SimulationOptions& options = plan.options;
  return absl::StrFormat(
      "%d peers, %u parameters in shards of %u, %s, %s, step %s (%d stragglers), averaging every %u, "
      "loss %.2f, duplication %.2f, corruption %.2f, delay %s + %s, %u bad links, bandwidth %.0f/%.0f",
      options.peers, options.dimension, options.shard_elements,
      options.learn ? "learning" : options.starts_equal() ? "in agreement" : "mixing only",
      options.coordinator ? "coordinator" : "no coordinator",
      absl::FormatDuration(absl::Trunc(options.step_time, absl::Microseconds(100))),
      options.stragglers, options.averaging_period_steps, options.network.loss,
      options.network.duplication, options.network.corruption,
      absl::FormatDuration(absl::Trunc(options.network.delay_floor, absl::Microseconds(10))),
      absl::FormatDuration(absl::Trunc(options.network.delay_spread, absl::Microseconds(10))),
      plan.links.size(), options.network.bandwidth.up, options.network.bandwidth.down);
}

}  // namespace

absl::StatusOr<SweepPlan> DrawSweepPlan(const std::string& algorithm, uint64_t seed) {
  const Random random = Random(seed).Split("sweep");
  SweepPlan plan;
  plan.options.seed = seed;
  plan.options.algorithm = algorithm;
  SetPatience(plan.options);
  DrawWork(Draw(random.Split("work")), plan.options);
  DrawNetwork(Draw(random.Split("network")), plan.options.network);
  plan.quiet = Draw(random.Split("kind")).Chance(kQuiet);
  if (plan.quiet) MakeQuiet(Draw(random.Split("quiet")), plan.options);
  absl::Status status = plan.options.Validate();
  for (int tries = kFewestPeers; !status.ok() && tries <= kMostPeers; ++tries) {
    plan.options.peers =
        plan.options.peers < kMostPeers ? plan.options.peers + 1 : kFewestPeers;
    status = plan.options.Validate();
  }
  if (!status.ok()) return status;
  const Declared declared = DeclaredBy(*plan.options.RunConfig());
  plan.options.dimension = std::max(plan.options.dimension, declared.least_parameters);
  // Long enough that the slowest comes to the next round while the fastest waits.
  plan.options.rounds.timing.ceiling =
      std::max(plan.options.rounds.timing.ceiling,
               2 * static_cast<double>(declared.longest_period) * plan.options.LongestStep());
  if (plan.quiet) {
    // Each shard has a weight of its own, and what people are shown is the mean.
    if (declared.moves_mass) plan.options.shard_elements = plan.options.dimension;
    plan.drawn = absl::StrCat("a quiet life of ", plan.options.steps, " steps, ", Describe(plan));
    return plan;
  }
  plan.life.good_within =
      std::max(plan.life.good_within, 4 * plan.options.rounds.timing.ceiling);
  plan.links = DrawLinks(Draw(random.Split("links")), plan.options.peers);
  Draw life(random.Split("life"));
  plan.life.safety = absl::Seconds(life.Between(5, 12));
  plan.life.chaos_interval = life.Millis(300, 1500);
  plan.drawn = Describe(plan);
  return plan;
}

}  // namespace starling
