// Fashion-MNIST as Debian installs it.

#include <array>
#include <cstdlib>
#include <string>

#include "gtest/gtest.h"
#include "model/batch_cursor.h"
#include "model/evaluate.h"
#include "model/optimizer.h"
#include "model/partition.h"
#include "model/registry.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

TrainAndTest Load(const std::string& name, const std::string& directory) {
  v1::DataConfig config;
  config.set_name(name);
  config.set_directory(directory);
  absl::StatusOr<TrainAndTest> data = LoadData(config, 1);
  if (!data.ok()) {
    ADD_FAILURE() << data.status();
    abort();
  }
  return *data;
}

TEST(RealDataTest, FashionMnistLoads) {
  const TrainAndTest data = Load("fashion_mnist", "");
  EXPECT_EQ(data.train->name(), "fashion_mnist");
  ASSERT_EQ(data.train->size(), 60000u);
  ASSERT_EQ(data.test->size(), 10000u);
  std::array<int, 10> count = {};
  for (size_t i = 0; i < data.train->size(); ++i) {
    ++count[static_cast<size_t>(data.train->label(i))];
  }
  for (int of_class : count) EXPECT_EQ(of_class, 6000);
}

TEST(RealDataTest, CustomaryScaleIsTheMeasuredOne) {
  const TrainAndTest customary = Load("fashion_mnist", "");
  const TrainAndTest measured = Load("idx", "/usr/share/datasets/fashion-mnist");
  for (bool train : {true, false}) {
    Batch a, b;
    (train ? customary.train : customary.test)->Gather({7, 9}, &a);
    (train ? measured.train : measured.test)->Gather({7, 9}, &b);
    EXPECT_EQ(a.labels, b.labels);
    for (size_t i = 0; i < a.features.size(); ++i) ASSERT_NEAR(a.features[i], b.features[i], 2e-3);
  }
}

TEST(RealDataTest, MlpLearnsItInAQuarterOfAnEpoch) {
  const TrainAndTest data = Load("fashion_mnist", "");
  v1::ModelConfig config;
  config.set_name("mlp");
  auto model = MakeModel(config, *data.train, 1, 0, 1);
  ASSERT_TRUE(model.ok()) << model.status();
  auto part = PartitionOf(*data.train, 4, 0, 0, 1);
  ASSERT_TRUE(part.ok()) << part.status();
  BatchCursor cursor(data.train, *part, 32, Random(1));
  v1::OptimizerConfig optimizer_config;
  optimizer_config.set_name("nesterov");
  auto optimizer = MakeOptimizer(optimizer_config, (*model)->parameters().size());
  ASSERT_TRUE(optimizer.ok()) << optimizer.status();
  for (size_t step = 0; step < part->size() / 32; ++step) {
    ASSERT_TRUE((*model)->ComputeGradients(cursor.Next()).ok());
    (*optimizer)->Step((*model)->parameters(), (*model)->gradients());
  }
  auto evaluation = EvaluateOn(**model, *data.test, 1000);
  ASSERT_TRUE(evaluation.ok()) << evaluation.status();
  EXPECT_EQ(evaluation->examples, 10000u);
  EXPECT_GT(evaluation->accuracy, 0.75);
}

}  // namespace
}  // namespace starling
