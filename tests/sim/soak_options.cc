#include "tests/sim/soak_options.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "peer/runtime/random.h"
#include "tests/sim/declared.h"
#include "tests/sim/draw.h"

namespace starling {
namespace {

constexpr int kFewestPeers = 3;
constexpr int kMostPeers = 6;

void DrawWork(Draw draw, SimulationOptions& options) {
  options.peers = draw.Whole(kFewestPeers, kMostPeers);
  options.dimension = static_cast<uint32_t>(draw.Whole(1, 24));
  options.shard_elements = static_cast<uint32_t>(draw.Whole(4, 24));
  options.learn = draw.Chance(0.4);
  if (!options.learn && draw.Chance(0.3)) options.start = SimulationOptions::Start::kEqual;
  options.examples = 120;
  options.step_time = draw.Seconds(1, 5);
  options.step_jitter = draw.Between(0, 0.5);
  options.stragglers = draw.Chance(0.4) ? 1 : 0;
  options.straggler_factor = draw.Between(1.5, 3);
  options.coordinator = draw.Chance(0.7);
  options.seeds_beside_coordinator = draw.Chance(0.5);
  options.coordinator_from_start = !options.seeds_beside_coordinator || draw.Chance(0.8);
  if (options.coordinator && draw.Chance(0.3)) {
    options.averaging_period_steps = static_cast<uint64_t>(draw.Whole(20, 60));
    options.averaging_deadline = draw.Seconds(5, 30);
    // Some rows exchange nothing but averages, which need one.
    options.coordinator_from_start = true;
  }
  options.odd_clocks = draw.Chance(0.7);
  options.look_every = absl::Seconds(10);
}

// Within what options.h allows, and what promises of these swarms allow: nobody is forgotten who is to be
// found again, and no table is too small for all.
void TurnKnobs(Draw draw, MembershipOptions& membership) {
  membership.preset = "knobs";
  membership.ping_interval = draw.Seconds(1, 8);
  membership.ping_timeout = draw.Between(0.2, 0.6) * membership.ping_interval;
  membership.helpers = draw.Whole(0, 4);
  membership.suspicion_multiplier = draw.Whole(3, 8);
  membership.suspicion_spread = draw.Between(1, 8);
  membership.worst_health = draw.Whole(0, 10);
  membership.gossip_interval = draw.Seconds(0.5, 4);
  membership.gossip_fanout = draw.Whole(1, 4);
  membership.sync_interval = draw.Seconds(10, 60);
  membership.heal_interval = draw.Seconds(10, 60);
  membership.departed_kept = absl::Hours(draw.Between(1, 24));
  membership.max_departed = static_cast<size_t>(draw.Whole(16, 256));
  membership.max_members = static_cast<size_t>(draw.Whole(16, 1024));
  membership.members_per_message = static_cast<size_t>(draw.Whole(4, 64));
}

// Returns how it is called.
std::string DrawPatience(Draw draw, SimulationOptions& options) {
  RegistryOptions& registry = options.coordinator_options.registry;
  const double kind = draw.Between(0, 1);
  if (kind < 0.1) {
    options.membership = MembershipOptions::Lan();
    registry = RegistryOptions::Lan();
  } else if (kind < 0.45) {
    options.membership = MembershipOptions::Wan();
    registry = RegistryOptions::Wan();
  } else {
    TurnKnobs(draw, options.membership);
    registry.heartbeat = draw.Seconds(1, 5);
    registry.lease = draw.Between(2.5, 6) * registry.heartbeat;
  }
  if (kind >= 0.25) {
    options.gossip.timing.floor = draw.Seconds(1, 5);
    options.gossip.timing.ceiling = draw.Seconds(15, 90);
    options.gossip.pending_answers = static_cast<uint32_t>(draw.Whole(16, 256));
    options.gossip.ledger_pages = static_cast<size_t>(draw.Whole(16, 1024));
    options.rounds.timing.floor = draw.Seconds(0.5, 5);
    options.rounds.timing.ceiling = draw.Seconds(15, 60);
    options.rounds.min_retry = draw.Seconds(0.2, 2);
    options.rounds.early_frames = static_cast<size_t>(draw.Whole(64, 512));
    options.coordinator_options.call_timeout = draw.Seconds(1, 5);
  }
  return std::string(options.membership.preset);
}

void DrawNetwork(Draw draw, SimNetworkOptions& network) {
  if (draw.Chance(0.4)) {
    network.delay_floor = draw.Millis(0.1, 2);
    network.delay_spread = draw.Millis(0.1, 2);
  } else {
    network.delay_floor = draw.Millis(5, 60);
    network.delay_spread = draw.Millis(1, 6);
  }
}

std::string Describe(const SoakPlan& plan, const std::string& preset) {
  const SimulationOptions& options = plan.options;
  return absl::StrFormat(
      "%d peers, %u parameters in shards of %u, %s, %s%s%s, step %s (%d stragglers), averaging every %u, "
      "%s, ping %s, gossip %s, delay %s + %s%s, a fault each %s of %s",
      options.peers, options.dimension, options.shard_elements,
      options.learn ? "learning" : options.starts_equal() ? "in agreement" : "mixing only",
      options.coordinator ? "coordinator" : "no coordinator",
      options.coordinator && options.seeds_beside_coordinator ? " and seeds" : "",
      options.coordinator && !options.coordinator_from_start ? " (absent at first)" : "",
      absl::FormatDuration(absl::Trunc(options.step_time, absl::Milliseconds(10))),
      options.stragglers, options.averaging_period_steps, preset,
      absl::FormatDuration(absl::Trunc(options.membership.ping_interval, absl::Milliseconds(10))),
      absl::FormatDuration(absl::Trunc(options.membership.gossip_interval, absl::Milliseconds(10))),
      absl::FormatDuration(absl::Trunc(options.network.delay_floor, absl::Microseconds(100))),
      absl::FormatDuration(absl::Trunc(options.network.delay_spread, absl::Microseconds(100))),
      options.odd_clocks ? ", odd clocks" : "",
      absl::FormatDuration(absl::Trunc(plan.nemesis.interval, absl::Seconds(1))),
      absl::FormatDuration(absl::Trunc(plan.nemesis.length, absl::Seconds(1))));
}

}  // namespace

absl::StatusOr<SoakPlan> DrawSoakPlan(const std::string& algorithm, uint64_t seed) {
  const Random random = Random(seed).Split("soak");
  SoakPlan plan;
  plan.options.seed = seed;
  plan.options.algorithm = algorithm;
  DrawWork(Draw(random.Split("work")), plan.options);
  const std::string preset = DrawPatience(Draw(random.Split("patience")), plan.options);
  DrawNetwork(Draw(random.Split("network")), plan.options.network);
  absl::Status status = plan.options.Validate();
  for (int tries = kFewestPeers; !status.ok() && tries <= kMostPeers; ++tries) {
    plan.options.peers = plan.options.peers < kMostPeers ? plan.options.peers + 1 : kFewestPeers;
    status = plan.options.Validate();
  }
  if (!status.ok()) return status;
  const Declared declared = DeclaredBy(*plan.options.RunConfig());
  plan.options.dimension = std::max(plan.options.dimension, declared.least_parameters);
  // Long enough that the slowest comes to the next round while the fastest waits.
  plan.options.rounds.timing.ceiling =
      std::max(plan.options.rounds.timing.ceiling,
               2 * static_cast<double>(std::max<uint64_t>(1, declared.longest_period)) *
                   plan.options.LongestStep());
  plan.healing.good_within =
      std::max({absl::Minutes(2), 4 * plan.options.rounds.timing.ceiling,
                static_cast<double>(10 + 2 * plan.options.averaging_period_steps) *
                    plan.options.LongestStep()});
  Draw life(random.Split("life"));
  plan.nemesis.interval = life.Seconds(10, 40);
  plan.nemesis.length = life.Seconds(20, 90);
  plan.nemesis.living_at_most = plan.options.RunConfig()->min_peers() + 1;
  plan.drawn = Describe(plan, preset);
  return plan;
}

}  // namespace starling
