#include "model/registry.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/catalog.h"
#include "model/idx_dataset.h"
#include "model/quadratic_model.h"
#include "model/synthetic_dataset.h"
#include "model/torch_cnn.h"
#include "model/torch_mlp.h"
#include "model/torch_model.h"

namespace starling {
namespace {

struct ModelRow {
  absl::string_view name;
  TorchNetwork (*network)();  // null for "quadratic", the one that is not LibTorch's
};

constexpr ModelRow kModels[] = {
    {"mlp", MlpNetwork},
    {"mlp_small", MlpSmallNetwork},
    {"mlp_large", MlpLargeNetwork},
    {"cnn", CnnNetwork},
    {"quadratic", nullptr},
};

struct DataRow {
  absl::string_view name;
  absl::StatusOr<TrainAndTest> (*load)(const v1::DataConfig& config, uint64_t seed);
};

absl::StatusOr<TrainAndTest> LoadIdx(const v1::DataConfig& config, const std::string& directory,
                                     const PixelScale* scale) {
  absl::StatusOr<IdxDataset> train = IdxDataset::Load(config.name(), directory, IdxSplit::kTrain);
  if (!train.ok()) return train.status();
  absl::StatusOr<IdxDataset> test = IdxDataset::Load(config.name(), directory, IdxSplit::kTest);
  if (!test.ok()) return test.status();
  const PixelScale used = scale != nullptr ? *scale : train->MeasureScale();
  train->SetScale(used);
  test->SetScale(used);
  return TrainAndTest{std::make_shared<IdxDataset>(std::move(*train)),
                      std::make_shared<IdxDataset>(std::move(*test))};
}

absl::StatusOr<TrainAndTest> LoadFashionMnist(const v1::DataConfig& config, uint64_t) {
  return LoadIdx(config, config.directory().empty() ? kFashionMnistDirectory : config.directory(),
                 &kFashionMnistScale);
}

absl::StatusOr<TrainAndTest> LoadIdxDirectory(const v1::DataConfig& config, uint64_t) {
  if (config.directory().empty()) {
    return absl::InvalidArgumentError(
        "data.directory is empty; the data set \"idx\" needs to know where its files are");
  }
  return LoadIdx(config, config.directory(), nullptr);
}

absl::StatusOr<TrainAndTest> LoadSynthetic(const v1::DataConfig& config, uint64_t seed) {
  constexpr uint32_t kMaxExamples = 200'000;  // 627 MB
  SyntheticOptions options;
  options.seed = seed;
  if (config.examples() > kMaxExamples) {
    return absl::InvalidArgumentError(absl::StrCat("data.examples is ", config.examples(),
                                                   "; it must be at most ", kMaxExamples));
  }
  if (config.examples() > 0) options.examples = config.examples();
  SyntheticOptions test_options = options;
  test_options.stream = 1;
  test_options.examples = (options.examples + 5) / 6;
  return TrainAndTest{std::make_shared<SyntheticDataset>(options),
                      std::make_shared<SyntheticDataset>(test_options)};
}

constexpr DataRow kData[] = {
    {"fashion_mnist", LoadFashionMnist},
    {"idx", LoadIdxDirectory},
    {"synthetic", LoadSynthetic},
};

absl::StatusOr<std::unique_ptr<Model>> MakeQuadratic(uint32_t dimension, const Dataset& data,
                                                     uint64_t seed) {
  if (dimension > data.features()) {
    return absl::InvalidArgumentError(absl::StrCat("model.dimension is ", dimension,
                                                   "; the data set ", data.name(), " has ",
                                                   data.features(), " features"));
  }
  return std::make_unique<QuadraticModel>(dimension > 0 ? dimension : data.features(),
                                          data.features(), seed);
}

absl::Status RequireFit(const TorchNetwork& network, const Dataset& data) {
  size_t features = 1;
  for (int64_t size : network.input_shape) features *= static_cast<size_t>(size);
  if (data.features() == features && data.classes() > 0 && data.classes() <= network.classes) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "the model ", network.name, " takes ", features, " features and up to ", network.classes,
      " classes; the data set ", data.name(), " has ", absl::StrJoin(data.shape(), "x"), " and ",
      data.classes()));
}

}  // namespace

absl::StatusOr<TrainAndTest> LoadData(const v1::DataConfig& config, uint64_t seed) {
  if (absl::Status status = ValidateDataName(config.name()); !status.ok()) return status;
  for (const DataRow& row : kData) {
    if (row.name == config.name()) return row.load(config, seed);
  }
  return absl::InternalError(absl::StrCat("data set ", config.name(), " is in the catalog only"));
}

absl::StatusOr<std::unique_ptr<Model>> MakeModel(const v1::ModelConfig& config, const Dataset& data,
                                                 uint64_t seed, uint64_t stream, int threads) {
  if (absl::Status status = ValidateModelName(config.name()); !status.ok()) return status;
  for (const ModelRow& row : kModels) {
    if (row.name != config.name()) continue;
    if (row.network == nullptr) return MakeQuadratic(config.dimension(), data, seed);
    TorchNetwork network = row.network();
    if (absl::Status status = RequireFit(network, data); !status.ok()) return status;
    return MakeTorchModel(std::move(network), {.seed = seed, .stream = stream, .threads = threads});
  }
  return absl::InternalError(absl::StrCat("model ", config.name(), " is in the catalog only"));
}

}  // namespace starling
