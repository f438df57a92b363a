#include "model/optimizer.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "model/local_optimizers.h"
#include "peer/runtime/check.h"
#include "peer/runtime/nearest_name.h"

namespace starling {
namespace {

// A default of 0, that is one left out, marks an option that the optimizer does not have.
struct OptimizerRow {
  absl::string_view name;
  std::unique_ptr<Optimizer> (*make)(const OptimizerSetting& setting);
  double learning_rate = 0;
  double momentum = 0;
  double beta1 = 0;
  double beta2 = 0;
  double epsilon = 0;
  double trust = 0;
  double hessian_power = 0;
};

constexpr OptimizerRow kOptimizers[] = {
    {.name = "sgd", .make = MakeSgdOptimizer, .learning_rate = 0.1},
    {.name = "nesterov", .make = MakeNesterovOptimizer, .learning_rate = 0.01, .momentum = 0.9},
    {.name = "nesterov_velocity",
     .make = MakeNesterovVelocityOptimizer,
     .learning_rate = 0.01,
     .momentum = 0.9},
    {.name = "adamw",
     .make = MakeAdamWOptimizer,
     .learning_rate = 0.001,
     .beta1 = 0.9,
     .beta2 = 0.999,
     .epsilon = 1e-8},
    {.name = "adahessian",
     .make = MakeAdaHessianOptimizer,
     .learning_rate = 0.15,
     .beta1 = 0.9,
     .beta2 = 0.999,
     .epsilon = 1e-4,
     .hessian_power = 1},
    {.name = "lars",
     .make = MakeLarsOptimizer,
     .learning_rate = 0.3,
     .momentum = 0.9,
     .trust = 0.001},
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
  double bound;             // upper
  bool may_reach = false;  // the bound
};

// The value to use: the one given, or the default if it was left out.
absl::StatusOr<double> Complete(absl::string_view optimizer, const Option& option) {
  if (option.value == 0) return option.fallback;
  if (option.fallback == 0) {
    return absl::InvalidArgumentError(absl::StrCat("optimizer.", option.field, " is ", option.value,
                                                   ", but ", optimizer,
                                                   " has no such option; leave it out"));
  }
  const bool low_enough =
      option.may_reach ? option.value <= option.bound : option.value < option.bound;
  if (!(option.value > 0 && low_enough)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "optimizer.", option.field, " is ", option.value, "; it must be above 0 and ",
        option.may_reach ? "at most " : "below ", option.bound));
  }
  return option.value;
}

void CheckLayers(const std::vector<LayerSpan>& layers, size_t elements) {
  size_t covered = 0;
  for (const LayerSpan& layer : layers) {
    STARLING_CHECK(layer.offset == covered);
    STARLING_CHECK(layer.kernel > 0 && layer.length % layer.kernel == 0);
    covered += layer.length;
  }
  STARLING_CHECK(covered == elements);
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
      {"trust", config.trust(), (*row)->trust, 1},
      {"hessian_power", config.hessian_power(), (*row)->hessian_power, 1, /*may_reach=*/true},
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
  config.set_trust(values[5]);
  config.set_hessian_power(values[6]);
  return config;
}

double RateScaleAt(uint64_t step, uint64_t total_steps, double decay_share) {
  const double decaying = decay_share * static_cast<double>(total_steps);
  if (decaying <= 0) return 1;
  const double left = static_cast<double>(total_steps) - static_cast<double>(step);
  return std::clamp(left / decaying, 0.0, 1.0);
}

absl::StatusOr<std::unique_ptr<Optimizer>> MakeOptimizer(const v1::OptimizerConfig& config,
                                                         size_t elements,
                                                         std::vector<LayerSpan> layers) {
  absl::StatusOr<v1::OptimizerConfig> complete = CompleteOptimizerConfig(config);
  if (!complete.ok()) return complete.status();
  absl::StatusOr<const OptimizerRow*> row = FindOptimizer(complete->name());
  if (!row.ok()) return row.status();
  if (layers.empty()) layers.push_back({.offset = 0, .length = elements});
  CheckLayers(layers, elements);
  return (*row)->make(
      {.config = *complete, .elements = elements, .layers = std::move(layers)});
}

}  // namespace starling
