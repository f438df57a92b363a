#include "model/optimizer.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "model/local_optimizers.h"
#include "peer/runtime/nearest_name.h"

namespace starling {
namespace {

// A default of 0 marks an option that the optimizer does not have.
struct OptimizerRow {
  absl::string_view name;
  double learning_rate;
  double momentum;
  double beta1;
  double beta2;
  double epsilon;
  std::unique_ptr<Optimizer> (*make)(const v1::OptimizerConfig& config, size_t elements);
};

constexpr OptimizerRow kOptimizers[] = {
    {"sgd", 0.1, 0, 0, 0, 0, MakeSgdOptimizer},
    {"nesterov", 0.01, 0.9, 0, 0, 0, MakeNesterovOptimizer},
    {"adamw", 0.001, 0, 0.9, 0.999, 1e-8, MakeAdamWOptimizer},
};

absl::StatusOr<const OptimizerRow*> FindOptimizer(absl::string_view name) {
  std::vector<std::string> names;
  for (const OptimizerRow& row : kOptimizers) {
    if (row.name == name) return &row;
    names.emplace_back(row.name);
  }
  return UnknownNameError("optimizer", name, names);
}

struct Option {
  absl::string_view field;
  double value;
  double fallback;
  double below;  // exclusive upper bound
};

// The value to use: the one given, or the default if it was left out.
absl::StatusOr<double> Complete(absl::string_view optimizer, const Option& option) {
  if (option.value == 0) return option.fallback;
  if (option.fallback == 0) {
    return absl::InvalidArgumentError(absl::StrCat("optimizer.", option.field, " is ", option.value,
                                                   ", but ", optimizer,
                                                   " has no such option; leave it out"));
  }
  if (!(option.value > 0 && option.value < option.below)) {
    return absl::InvalidArgumentError(
        absl::StrCat("optimizer.", option.field, " is ", option.value,
                     "; it must be above 0 and below ", option.below));
  }
  return option.value;
}

}  // namespace

absl::StatusOr<v1::OptimizerConfig> CompleteOptimizerConfig(v1::OptimizerConfig config) {
  absl::StatusOr<const OptimizerRow*> row = FindOptimizer(config.name());
  if (!row.ok()) return row.status();
  const Option options[] = {
      {"learning_rate", config.learning_rate(), (*row)->learning_rate, 1e6},
      {"momentum", config.momentum(), (*row)->momentum, 1},
      {"beta1", config.beta1(), (*row)->beta1, 1},
      {"beta2", config.beta2(), (*row)->beta2, 1},
      {"epsilon", config.epsilon(), (*row)->epsilon, 1},
  };
  std::vector<double> values;
  for (const Option& option : options) {
    absl::StatusOr<double> value = Complete((*row)->name, option);
    if (!value.ok()) return value.status();
    values.push_back(*value);
  }
  if (!(config.weight_decay() >= 0 && config.weight_decay() < 1)) {
    return absl::InvalidArgumentError(absl::StrCat("optimizer.weight_decay is ",
                                                   config.weight_decay(),
                                                   "; it must be at least 0 and below 1"));
  }
  if (!(config.decay_share() >= 0 && config.decay_share() <= 1)) {
    return absl::InvalidArgumentError(absl::StrCat("optimizer.decay_share is ",
                                                   config.decay_share(),
                                                   "; it must be between 0 and 1"));
  }
  config.set_learning_rate(values[0]);
  config.set_momentum(values[1]);
  config.set_beta1(values[2]);
  config.set_beta2(values[3]);
  config.set_epsilon(values[4]);
  return config;
}

double RateScaleAt(uint64_t step, uint64_t total_steps, double decay_share) {
  const double decaying = decay_share * static_cast<double>(total_steps);
  if (decaying <= 0) return 1;
  const double left = static_cast<double>(total_steps) - static_cast<double>(step);
  return std::clamp(left / decaying, 0.0, 1.0);
}

absl::StatusOr<std::unique_ptr<Optimizer>> MakeOptimizer(const v1::OptimizerConfig& config,
                                                         size_t elements) {
  absl::StatusOr<v1::OptimizerConfig> complete = CompleteOptimizerConfig(config);
  if (!complete.ok()) return complete.status();
  absl::StatusOr<const OptimizerRow*> row = FindOptimizer(complete->name());
  if (!row.ok()) return row.status();
  return (*row)->make(*complete, elements);
}

}  // namespace starling
