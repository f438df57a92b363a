#include "tests/sim/simulation_options.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "model/optimizer.h"
#include "peer/algorithms/registry.h"
#include "peer/runtime/run_config.h"
#include "tests/sim/declared.h"

namespace starling {

absl::Status SimulationOptions::Validate() const {
  auto wrong = [](absl::string_view field, auto value, absl::string_view allowed) {
    return absl::InvalidArgumentError(absl::StrCat(field, " is ", value, "; must be ", allowed));
  };
  if (peers < 1 || peers > 1024) return wrong("peers", peers, "from 1 to 1024");
  if (dimension < 1) return wrong("dimension", dimension, "positive");
  if (shard_elements < 1) return wrong("shard_elements", shard_elements, "positive");
  if (train == nullptr && examples < static_cast<uint32_t>(peers)) {
    return wrong("examples", examples, "at least one for each peer");
  }
  if (step_time < absl::Microseconds(1)) {
    return wrong("step_time", absl::FormatDuration(step_time), "at least 1us");
  }
  if (!(step_jitter >= 0 && step_jitter < 1)) return wrong("step_jitter", step_jitter, "in [0, 1)");
  if (stragglers < 0) return wrong("stragglers", stragglers, "0 or more");
  if (!(straggler_factor >= 1)) return wrong("straggler_factor", straggler_factor, "at least 1");
  for (const double factor : slowness) {
    if (!(factor > 0 && factor <= 1e6)) return wrong("slowness", factor, "in (0, 1000000]");
  }
  if (averaging_period_steps > 0 && !coordinator) {
    return absl::InvalidArgumentError("averaging_period_steps needs the coordinator, which plans");
  }
  if (look_every < absl::Milliseconds(1)) {
    return wrong("look_every", absl::FormatDuration(look_every), "at least 1ms");
  }
  for (const absl::Status& status :
       {network.Validate(), coordinator_options.registry.Validate(), membership.Validate()}) {
    if (!status.ok()) return status;
  }
  return RunConfig().status();
}

absl::StatusOr<v1::RunConfig> SimulationOptions::RunConfig() const {
  v1::RunConfig config;
  config.set_name("simulation");
  config.mutable_model()->set_name(model_name);
  config.mutable_model()->set_dimension(dimension);
  config.mutable_data()->set_name("synthetic");
  const uint32_t shares = parts > 0 ? parts : static_cast<uint32_t>(peers);
  config.mutable_data()->set_parts(shares);
  const size_t total = train == nullptr ? examples : train->size();
  config.mutable_data()->set_examples(static_cast<uint32_t>(total));
  config.mutable_data()->set_dirichlet_alpha(dirichlet_alpha);
  config.set_seed(seed);
  config.set_batch_size(batch_size);
  config.set_min_peers(static_cast<uint32_t>(peers));
  config.set_shard_elements(shard_elements);
  config.set_epochs(steps == 0 ? epochs
                               : static_cast<double>(steps) * shares * batch_size /
                                     static_cast<double>(total));
  config.set_final_merge(final_merge);
  if (averaging_period_steps > 0) {
    config.mutable_averaging()->set_period_steps(averaging_period_steps);
    config.mutable_averaging()->set_deadline_seconds(absl::ToDoubleSeconds(averaging_deadline));
  }
  absl::Status status = ParseAlgorithm(algorithm, config.mutable_algorithm());
  if (!status.ok()) return status;
  auto complete_algorithm = CompleteAlgorithmConfig(config.algorithm());
  if (!complete_algorithm.ok()) return complete_algorithm.status();
  *config.mutable_algorithm() = *std::move(complete_algorithm);
  // Some work only with certain numbers of workers.
  status = MakeAlgorithm(config.algorithm(), {static_cast<size_t>(peers), seed}).status();
  if (!status.ok()) return status;
  if (DeclaredBy(config).needs_centre) config.set_min_peers(static_cast<uint32_t>(peers) + 1);
  *config.mutable_optimizer() = optimizer;
  if (optimizer.name().empty()) {
    const auto& insists = FindAlgorithm(config.algorithm().name())->optimizers;
    config.mutable_optimizer()->set_name(insists.empty() ? "sgd" : std::string(insists.front()));
    config.mutable_optimizer()->set_learning_rate(learning_rate);
  }
  status = CheckOptimizer(config.algorithm().name(), config.optimizer().name());
  if (!status.ok()) return status;
  auto complete_optimizer = CompleteOptimizerConfig(config.optimizer());
  if (!complete_optimizer.ok()) return complete_optimizer.status();
  *config.mutable_optimizer() = *std::move(complete_optimizer);
  config = WithDefaults(std::move(config));
  // Shards here are far smaller than people may ask for: many of them fit into little memory.
  v1::RunConfig checked = config;
  checked.set_shard_elements(WithDefaults(v1::RunConfig()).shard_elements());
  status = ValidateRunConfig(checked);
  if (!status.ok()) return status;
  return config;
}

void SimulationOptions::BecomePatient() {
  if (peers <= 100) return;
  // Getting to know each other takes a call from everybody to everybody, and the coordinator, whose views
  // go to all, hears from all.
  const double calls = static_cast<double>(peers) * peers;
  const absl::Duration interval = absl::Seconds(calls / 10'000);
  membership.ping_interval = std::max(membership.ping_interval, interval);
  membership.ping_timeout = membership.ping_interval / 2;
  membership.gossip_interval = membership.ping_interval;
  membership.sync_interval = 20 * membership.ping_interval;
  membership.heal_interval = 4 * membership.ping_interval;
  RegistryOptions& registry = coordinator_options.registry;
  registry.heartbeat = std::max(registry.heartbeat, interval / 4);
  registry.lease = std::max(registry.lease, 2 * interval);
  look_every = std::max(look_every, absl::Seconds(1));
}

double SimulationOptions::SlownessOf(int node) const {
  const double factor = static_cast<size_t>(node) < slowness.size() ? slowness[node] : 1;
  return factor * (node < stragglers ? straggler_factor : 1);
}

absl::Duration SimulationOptions::LongestStep() const {
  double slowest = 1;
  const int named = std::max(stragglers, static_cast<int>(slowness.size()));
  for (int node = 0; node < named; ++node) slowest = std::max(slowest, SlownessOf(node));
  return step_time * (1 + step_jitter) * slowest;
}

}  // namespace starling
