#include "model/catalog.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/optimizer.h"
#include "model/registry.h"
#include "model/synthetic_dataset.h"

namespace starling {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const SyntheticDataset& Data() {
  static const auto* const data = new SyntheticDataset({.examples = 20});
  return *data;
}

TEST(CatalogTest, EveryModelInTheCatalogCanBeMade) {
  for (const CatalogEntry& entry : ModelCatalog()) {
    EXPECT_TRUE(ValidateModelName(entry.name).ok());
    v1::ModelConfig config;
    config.set_name(std::string(entry.name));
    auto model = MakeModel(config, Data(), 1, 0, 1);
    ASSERT_TRUE(model.ok()) << model.status();
    EXPECT_EQ((*model)->name(), entry.name);
  }
}

TEST(CatalogTest, SummariesTellTheTruthAboutSizes) {
  for (const auto& [name, parameters] :
       {std::pair("mlp", "235,146"), std::pair("mlp_small", "50,890"),
        std::pair("mlp_large", "2,913,290"),
        std::pair("cnn", "9,146")}) {
    v1::ModelConfig config;
    config.set_name(name);
    auto model = MakeModel(config, Data(), 1, 0, 1);
    ASSERT_TRUE(model.ok()) << model.status();
    std::string digits(parameters);
    digits.erase(std::remove(digits.begin(), digits.end(), ','), digits.end());
    EXPECT_EQ(std::to_string((*model)->parameters().size()), digits);
    for (const CatalogEntry& entry : ModelCatalog()) {
      if (entry.name == name) {
        EXPECT_THAT(std::string(entry.summary), HasSubstr(parameters));
      }
    }
  }
}

TEST(CatalogTest, EveryDataSetInTheCatalogIsKnownToTheRegistry) {
  for (const CatalogEntry& entry : DataCatalog()) {
    EXPECT_TRUE(ValidateDataName(entry.name).ok());
    v1::DataConfig config;
    config.set_name(std::string(entry.name));
    config.set_directory("/nonexistent");
    config.set_examples(12);
    const absl::Status status = LoadData(config, 1).status();
    EXPECT_TRUE(status.ok() || status.code() == absl::StatusCode::kNotFound) << status;
  }
}

TEST(CatalogTest, EveryOptimizerInTheCatalogCanBeMade) {
  for (const CatalogEntry& entry : OptimizerCatalog()) {
    v1::OptimizerConfig config;
    config.set_name(std::string(entry.name));
    EXPECT_TRUE(MakeOptimizer(config, 1).ok());
  }
}

TEST(CatalogTest, UnknownNamesSuggestTheNearest) {
  v1::ModelConfig model;
  model.set_name("mlp_lage");
  v1::DataConfig data;
  data.set_name("fashion-mnist");
  for (const auto& [status, suggestion] :
       {std::pair(ValidateModelName("mlp_lage"), "mlp_large"),
        std::pair(MakeModel(model, Data(), 1, 0, 1).status(), "mlp_large"),
        std::pair(ValidateDataName("fashion-mnist"), "fashion_mnist"),
        std::pair(LoadData(data, 1).status(), "fashion_mnist")}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("unknown"), HasSubstr("did you mean"), HasSubstr(suggestion)));
  }
}

TEST(CatalogTest, ConfigurationsThatCannotWorkAreRefused) {
  v1::DataConfig data;
  data.set_name("idx");
  EXPECT_EQ(LoadData(data, 1).status().code(), absl::StatusCode::kInvalidArgument);
  data.set_name("synthetic");
  data.set_examples(4'000'000'000u);
  EXPECT_EQ(LoadData(data, 1).status().code(), absl::StatusCode::kInvalidArgument);

  const SyntheticDataset small({.examples = 20, .shape = {5}});
  for (const CatalogEntry& entry : ModelCatalog()) {
    v1::ModelConfig model;
    model.set_name(std::string(entry.name));
    model.set_dimension(6);
    EXPECT_EQ(MakeModel(model, small, 1, 0, 1).status().code(), absl::StatusCode::kInvalidArgument)
        << entry.name;
  }
}

}  // namespace
}  // namespace starling
