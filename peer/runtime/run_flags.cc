#include "peer/runtime/run_flags.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "peer/runtime/run_config.h"

ABSL_FLAG(std::string, config, "",
          "file with the run configuration in protobuf text format; the flags below override it");
ABSL_FLAG(std::optional<std::string>, model, std::nullopt,
          "network to train: mlp, mlp_small, mlp_large, cnn (default mlp)");
ABSL_FLAG(std::optional<std::string>, data, std::nullopt,
          "data set: fashion_mnist, idx, synthetic (default fashion_mnist)");
ABSL_FLAG(std::optional<std::string>, data_dir, std::nullopt,
          "directory of the data files on this machine (default: that of Debian's package)");
ABSL_FLAG(std::optional<std::string>, algorithm, std::nullopt,
          "how peers mix, NAME[:option=value,...]; a value may be a fraction, as in "
          "elastic_gossip:p=1/8,alpha=0.5 (default elastic_gossip)");
ABSL_FLAG(std::optional<std::string>, optimizer, std::nullopt,
          "local optimizer: sgd, nesterov, nesterov_velocity, adamw, adahessian, lars (default "
          "nesterov)");
ABSL_FLAG(std::optional<double>, learning_rate, std::nullopt,
          "step length of the optimizer (default: the optimizer's own)");
ABSL_FLAG(std::optional<double>, decay_share, std::nullopt,
          "last share of the run, 0 to 1, over which the step length falls to 0 (default 0)");
ABSL_FLAG(std::optional<double>, epochs, std::nullopt,
          "passes over the training set, all parts together; 0 trains until told to stop "
          "(default 0)");
ABSL_FLAG(std::optional<uint32_t>, batch_size, std::nullopt,
          "examples in one local step (default 32)");
ABSL_FLAG(std::optional<uint32_t>, min_peers, std::nullopt,
          "training starts once this many peers are present (default 1)");
ABSL_FLAG(std::optional<uint32_t>, parts, std::nullopt,
          "disjoint parts that the training set is split into (default: min_peers)");
ABSL_FLAG(std::optional<double>, dirichlet_alpha, std::nullopt,
          "0 splits the data evenly; smaller positive values more unequally by class (default 0)");
ABSL_FLAG(std::optional<uint64_t>, seed, std::nullopt,
          "root of every random stream of the run, at least 1 (default 1)");
ABSL_FLAG(std::optional<uint64_t>, averaging_period, std::nullopt,
          "steps between averages over all peers, planned by the coordinator; 0: none (default 0)");
ABSL_FLAG(std::optional<bool>, final_merge, std::nullopt,
          "after the last step all peers take their exact average, once; no effect without an end "
          "(default false)");

namespace starling {
namespace {

absl::Status Prefixed(absl::StatusCode code, absl::string_view prefix, const absl::Status& status) {
  return absl::Status(code, absl::StrCat(prefix, status.message()));
}

// The configuration file as it stands; an empty message without one. A file alone must be valid.
absl::StatusOr<v1::RunConfig> FromFile() {
  const std::string path = absl::GetFlag(FLAGS_config);
  if (path.empty()) return v1::RunConfig();
  absl::StatusOr<v1::RunConfig> config = LoadRunConfig(path);
  if (absl::IsInvalidArgument(config.status())) {
    return Prefixed(absl::StatusCode::kFailedPrecondition, "", config.status());
  }
  if (!config.ok()) return config.status();
  const absl::Status valid = ValidateRunConfig(WithDefaults(*config));
  if (!valid.ok()) {
    return Prefixed(absl::StatusCode::kFailedPrecondition, absl::StrCat(path, ": "), valid);
  }
  return config;
}

absl::Status ApplyFlags(v1::RunConfig* config) {
  const auto override_with = [](const auto& value, auto set) {
    if (value.has_value()) set(*value);
  };
  v1::DataConfig* data = config->mutable_data();
  v1::OptimizerConfig* optimizer = config->mutable_optimizer();
  override_with(absl::GetFlag(FLAGS_model),
                [&](const std::string& v) { config->mutable_model()->set_name(v); });
  override_with(absl::GetFlag(FLAGS_data), [&](const std::string& v) { data->set_name(v); });
  override_with(absl::GetFlag(FLAGS_data_dir),
                [&](const std::string& v) { data->set_directory(v); });
  override_with(absl::GetFlag(FLAGS_optimizer),
                [&](const std::string& v) { optimizer->set_name(v); });
  override_with(absl::GetFlag(FLAGS_learning_rate),
                [&](double v) { optimizer->set_learning_rate(v); });
  override_with(absl::GetFlag(FLAGS_decay_share),
                [&](double v) { optimizer->set_decay_share(v); });
  override_with(absl::GetFlag(FLAGS_epochs), [&](double v) { config->set_epochs(v); });
  override_with(absl::GetFlag(FLAGS_batch_size), [&](uint32_t v) { config->set_batch_size(v); });
  override_with(absl::GetFlag(FLAGS_min_peers), [&](uint32_t v) { config->set_min_peers(v); });
  override_with(absl::GetFlag(FLAGS_parts), [&](uint32_t v) { data->set_parts(v); });
  override_with(absl::GetFlag(FLAGS_dirichlet_alpha),
                [&](double v) { data->set_dirichlet_alpha(v); });
  override_with(absl::GetFlag(FLAGS_seed), [&](uint64_t v) { config->set_seed(v); });
  override_with(absl::GetFlag(FLAGS_averaging_period),
                [&](uint64_t v) { config->mutable_averaging()->set_period_steps(v); });
  override_with(absl::GetFlag(FLAGS_final_merge), [&](bool v) { config->set_final_merge(v); });
  const std::optional<std::string> algorithm = absl::GetFlag(FLAGS_algorithm);
  if (!algorithm.has_value()) return absl::OkStatus();
  const absl::Status parsed = ParseAlgorithm(*algorithm, config->mutable_algorithm());
  return parsed.ok() ? parsed : Prefixed(parsed.code(), "--algorithm: ", parsed);
}

}  // namespace

absl::StatusOr<v1::RunConfig> RunConfigFromFlags() {
  absl::StatusOr<v1::RunConfig> config = FromFile();
  if (!config.ok()) return config.status();
  absl::Status status = ApplyFlags(&*config);
  if (!status.ok()) return status;
  v1::RunConfig completed = WithDefaults(*std::move(config));
  // Once more, so that a flag's explicit 0 is refused rather than taken for "left out".
  status = ApplyFlags(&completed);
  if (status.ok()) status = ValidateRunConfig(completed);
  if (!status.ok()) return status;
  return completed;
}

bool AnyRunFlagSet() {
  return !absl::GetFlag(FLAGS_config).empty() || absl::GetFlag(FLAGS_model) ||
         absl::GetFlag(FLAGS_data) || absl::GetFlag(FLAGS_algorithm) ||
         absl::GetFlag(FLAGS_optimizer) || absl::GetFlag(FLAGS_learning_rate) ||
         absl::GetFlag(FLAGS_decay_share) || absl::GetFlag(FLAGS_epochs) ||
         absl::GetFlag(FLAGS_batch_size) || absl::GetFlag(FLAGS_min_peers) ||
         absl::GetFlag(FLAGS_parts) || absl::GetFlag(FLAGS_dirichlet_alpha) ||
         absl::GetFlag(FLAGS_seed) || absl::GetFlag(FLAGS_averaging_period) ||
         absl::GetFlag(FLAGS_final_merge);
}

absl::StatusOr<RunExpectations> RunExpectationsFromFlags() {
  absl::StatusOr<v1::RunConfig> config = FromFile();
  if (!config.ok()) return config.status();
  const absl::Status status = ApplyFlags(&*config);
  if (!status.ok()) return status;
  return RunExpectations{config->model().name(), config->algorithm().name()};
}

std::string DataDirectoryFromFlags() { return absl::GetFlag(FLAGS_data_dir).value_or(""); }

}  // namespace starling
