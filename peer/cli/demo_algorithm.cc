#include "peer/cli/demo_algorithm.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "peer/algorithms/registry.h"
#include "peer/codec/registry.h"
#include "peer/gossip/codec_choice.h"
#include "peer/runtime/run_config.h"

namespace starling {
namespace {

constexpr char kAll[] = "all";

// --compare at the commas that do not stand between the options of one algorithm.
std::vector<std::string> SplitList(absl::string_view text) {
  std::vector<std::string> items;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const bool option = absl::StrContains(part, "=") && !absl::StrContains(part, ":");
    if (option && !items.empty()) {
      absl::StrAppend(&items.back(), ",", part);
    } else {
      items.emplace_back(part);
    }
  }
  return items;
}

absl::StatusOr<v1::AlgorithmConfig> Parse(absl::string_view text) {
  v1::AlgorithmConfig config;
  if (absl::Status status = ParseAlgorithm(text, &config); !status.ok()) return status;
  return config;
}

// Its row's number in the registry.
absl::StatusOr<size_t> PlaceOf(absl::string_view text) {
  const absl::StatusOr<v1::AlgorithmConfig> config = Parse(text);
  if (!config.ok()) return config.status();
  if (auto complete = CompleteAlgorithmConfig(*config); !complete.ok()) return complete.status();
  const AlgorithmRow* const row = FindAlgorithm(config->name());
  return static_cast<size_t>(row - AlgorithmRegistry().data());
}

}  // namespace

bool IsList(absl::string_view compare) {
  return compare == kAll || SplitList(compare).size() > 1;
}

absl::StatusOr<DemoOptions> WithAlgorithm(DemoOptions options, absl::string_view algorithm) {
  const absl::StatusOr<v1::AlgorithmConfig> config = Parse(algorithm);
  if (!config.ok()) return config.status();
  const absl::StatusOr<Algorithm> made = MakeAlgorithm(
      *config, {.workers = static_cast<size_t>(options.peers), .seed = options.seed});
  if (!made.ok()) return made.status();
  const AlgorithmRow& row = *FindAlgorithm(config->name());
  if (options.optimizer.empty() && !row.optimizers.empty()) {
    options.optimizer = std::string(row.optimizers.front());
  }
  if (!options.optimizer.empty()) {
    if (absl::Status fits = CheckOptimizer(config->name(), options.optimizer); !fits.ok()) {
      return fits;
    }
  }
  const absl::StatusOr<CodecChoice> codecs =
      MakeCodecChoice(options.request_codec, options.reply_codec);
  if (!codecs.ok()) return codecs.status();
  if (made->mix == nullptr) {
    // Rounds carry fp32 alone; that the algorithm compared with it has codecs says nothing about this one.
    options.request_codec = options.reply_codec = PlainCodec()->spec();
  } else if (absl::Status fits = CheckCodecs(*made, *codecs); !fits.ok()) {
    return fits;
  }
  options.algorithm = std::string(algorithm);
  options.centre = made->needs_centre;
  return options;
}

absl::StatusOr<std::vector<std::string>> ComparedAlgorithms(absl::string_view own,
                                                            absl::string_view compare) {
  std::vector<std::string> wanted = {std::string(own)};
  if (compare == kAll) {
    for (const AlgorithmRow& row : AlgorithmRegistry()) wanted.emplace_back(row.name);
  } else {
    for (std::string& item : SplitList(compare)) wanted.push_back(std::move(item));
  }
  std::vector<std::pair<size_t, std::string>> placed;
  for (std::string& item : wanted) {
    const absl::StatusOr<size_t> place = PlaceOf(item);
    if (!place.ok()) return place.status();
    std::pair<size_t, std::string> entry(*place, std::move(item));
    if (std::find(placed.begin(), placed.end(), entry) == placed.end()) {
      placed.push_back(std::move(entry));
    }
  }
  std::stable_sort(placed.begin(), placed.end(),
                   [](const auto& left, const auto& right) { return left.first < right.first; });
  std::vector<std::string> algorithms;
  for (auto& [place, item] : placed) algorithms.push_back(std::move(item));
  return algorithms;
}

}  // namespace starling
