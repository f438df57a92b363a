#include "peer/runtime/run_config.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/text_format.h"
#include "xxhash.h"

namespace starling {
namespace {

constexpr size_t kMaxNameLength = 128;
constexpr double kMaxDouble = std::numeric_limits<double>::max();

void SortOptions(v1::AlgorithmConfig* algorithm) {
  auto* options = algorithm->mutable_options();
  std::stable_sort(options->begin(), options->end(),
                   [](const v1::AlgorithmOption& a, const v1::AlgorithmOption& b) {
                     return a.name() < b.name();
                   });
}

// Remembers the first complaint of the text format parser, which counts from 0.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    if (!text.empty()) return;
    text = line < 0 ? message : absl::StrCat(line + 1, ":", column + 1, ": ", message);
  }

  std::string text;
};

// One line per field in ValidateRunConfig; the first failure stays.
class Checker {
 public:
  void Between(absl::string_view field, double value, double low, double high) {
    // Written so that NaN fails.
    if (value >= low && value <= high) return;
    if (high == kMaxDouble) {
      Fail(absl::StrCat(field, " is ", value, "; it must be finite and at least ", low));
    } else {
      Fail(absl::StrCat(field, " is ", value, "; it must be between ", low, " and ", high));
    }
  }
  void Between(absl::string_view field, uint32_t value, uint32_t low, uint32_t high) {
    if (value >= low && value <= high) return;
    Fail(absl::StrCat(field, " is ", value, "; it must be between ", low, " and ", high));
  }
  void AtLeastOne(absl::string_view field, uint64_t value) {
    if (value == 0) Fail(absl::StrCat(field, " is 0; it must be at least 1"));
  }
  void AtLeastZero(absl::string_view field, double value) { Between(field, value, 0, kMaxDouble); }
  void BelowOne(absl::string_view field, double value) {
    if (value >= 0 && value < 1) return;
    Fail(absl::StrCat(field, " is ", value, "; it must be at least 0 and below 1"));
  }
  void Name(absl::string_view field, absl::string_view value) {
    if (value.empty()) return Fail(absl::StrCat(field, " is empty; it must be given"));
    if (value.size() > kMaxNameLength) {
      return Fail(absl::StrCat(field, " has ", value.size(), " bytes; at most ", kMaxNameLength,
                               " are allowed"));
    }
    for (char c : value) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
        return Fail(absl::StrCat(field, " contains a control character; it must be one line"));
      }
    }
  }
  void Fail(const std::string& message) {
    if (status_.ok()) status_ = absl::InvalidArgumentError(message);
  }
  absl::Status status() && { return std::move(status_); }

 private:
  absl::Status status_;
};

// "0.5", "1e-3" or "1/8".
bool ParseNumber(absl::string_view text, double* value) {
  if (text.empty()) return false;
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '/');
  double numerator = 0;
  double denominator = 1;
  if (parts.size() > 2 || !absl::SimpleAtod(parts[0], &numerator)) return false;
  if (parts.size() == 2 && !absl::SimpleAtod(parts[1], &denominator)) return false;
  *value = numerator / denominator;
  return std::isfinite(*value);
}

}  // namespace

RunId RunIdOf(const v1::RunConfig& config) {
  v1::RunConfig canonical = config;
  canonical.mutable_data()->clear_directory();
  SortOptions(canonical.mutable_algorithm());
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    canonical.SerializeToCodedStream(&coded);
  }
  const uint64_t hash = XXH3_64bits(bytes.data(), bytes.size());
  return RunId(hash == 0 ? 1 : hash);
}

absl::StatusOr<v1::RunConfig> LoadRunConfig(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) file.peek();  // fails for a directory, which opens well
  if (file) text << file.rdbuf();
  if (!file.is_open() || file.bad()) {
    const int error = errno;
    const std::string message =
        absl::StrCat(path, ": ", error == 0 ? "cannot be read" : std::strerror(error));
    if (error == ENOENT || error == ENOTDIR) return absl::NotFoundError(message);
    return absl::PermissionDeniedError(message);
  }
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  v1::RunConfig config;
  if (!parser.ParseFromString(text.str(), &config)) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ":", error.text.empty() ? " not a run configuration" : error.text));
  }
  return config;
}

v1::RunConfig WithDefaults(v1::RunConfig config) {
  if (config.name().empty()) config.set_name("starling");
  if (config.model().name().empty()) config.mutable_model()->set_name("mlp");
  if (config.data().name().empty()) config.mutable_data()->set_name("fashion_mnist");
  if (config.optimizer().name().empty()) config.mutable_optimizer()->set_name("nesterov");
  if (config.algorithm().name().empty()) config.mutable_algorithm()->set_name("elastic_gossip");
  SortOptions(config.mutable_algorithm());
  if (config.seed() == 0) config.set_seed(1);
  if (config.batch_size() == 0) config.set_batch_size(32);
  if (config.min_peers() == 0) config.set_min_peers(1);
  if (config.data().parts() == 0) config.mutable_data()->set_parts(config.min_peers());
  if (config.shard_elements() == 0) config.set_shard_elements(262144);
  if (config.epoch() == 0) config.set_epoch(1);
  if (config.averaging().period_steps() > 0 && config.averaging().deadline_seconds() == 0) {
    config.mutable_averaging()->set_deadline_seconds(10);
  }
  return config;
}

absl::Status ValidateRunConfig(const v1::RunConfig& config) {
  Checker check;
  check.Name("name", config.name());
  check.Name("model.name", config.model().name());
  check.Between("model.dimension", config.model().dimension(), 0, 1 << 30);
  check.Name("data.name", config.data().name());
  check.Between("data.parts", config.data().parts(), 1, 65536);
  check.Between("data.dirichlet_alpha", config.data().dirichlet_alpha(), 0, 1e6);
  check.Between("data.examples", config.data().examples(), 0, 1 << 30);

  const v1::OptimizerConfig& optimizer = config.optimizer();
  check.Name("optimizer.name", optimizer.name());
  check.AtLeastZero("optimizer.learning_rate", optimizer.learning_rate());
  check.BelowOne("optimizer.momentum", optimizer.momentum());
  check.AtLeastZero("optimizer.weight_decay", optimizer.weight_decay());
  check.BelowOne("optimizer.beta1", optimizer.beta1());
  check.BelowOne("optimizer.beta2", optimizer.beta2());
  check.AtLeastZero("optimizer.epsilon", optimizer.epsilon());
  check.Between("optimizer.decay_share", optimizer.decay_share(), 0, 1);

  check.Name("algorithm.name", config.algorithm().name());
  absl::string_view previous;
  for (const v1::AlgorithmOption& option : config.algorithm().options()) {
    check.Name("algorithm.options.name", option.name());
    if (option.name() == previous) {
      check.Fail(absl::StrCat("algorithm option \"", option.name(), "\" is given twice"));
    }
    previous = option.name();
    check.Between(absl::StrCat("algorithm option \"", option.name(), "\""), option.value(),
                  -kMaxDouble, kMaxDouble);
  }

  check.AtLeastZero("averaging.deadline_seconds", config.averaging().deadline_seconds());
  if (config.averaging().period_steps() > 0) {
    check.Between("averaging.deadline_seconds", config.averaging().deadline_seconds(), 0.1, 3600);
  }
  check.AtLeastOne("seed", config.seed());
  check.AtLeastZero("epochs", config.epochs());
  check.Between("batch_size", config.batch_size(), 1, 65536);
  check.Between("min_peers", config.min_peers(), 1, 1024);
  check.Between("shard_elements", config.shard_elements(), 1024, 4194304);
  check.AtLeastOne("epoch", config.epoch());
  return std::move(check).status();
}

absl::Status ParseAlgorithm(absl::string_view text, v1::AlgorithmConfig* algorithm) {
  const std::pair<absl::string_view, absl::string_view> halves =
      absl::StrSplit(text, absl::MaxSplits(':', 1));
  if (halves.first.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "algorithm \"", text, "\" has no name; write NAME or NAME:option=value,..."));
  }
  v1::AlgorithmConfig parsed;
  parsed.set_name(std::string(halves.first));
  if (text.size() > halves.first.size()) {
    for (absl::string_view item : absl::StrSplit(halves.second, ',')) {
      const std::pair<absl::string_view, absl::string_view> option =
          absl::StrSplit(item, absl::MaxSplits('=', 1));
      double value = 0;
      if (option.first.empty() || !ParseNumber(option.second, &value)) {
        return absl::InvalidArgumentError(
            absl::StrCat("algorithm \"", text, "\": \"", item,
                         "\" is not option=value with a number such as 0.125 or 1/8"));
      }
      v1::AlgorithmOption* added = parsed.add_options();
      added->set_name(std::string(option.first));
      added->set_value(value);
    }
  }
  SortOptions(&parsed);
  *algorithm = std::move(parsed);
  return absl::OkStatus();
}

}  // namespace starling
