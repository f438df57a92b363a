#include "model/synthetic_dataset.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"

namespace starling {
namespace {

std::vector<float> MeanOfClass(const SyntheticDataset& data, uint32_t wanted) {
  std::vector<uint32_t> indices;
  for (uint32_t i = wanted; i < data.size(); i += SyntheticDataset::kClasses) indices.push_back(i);
  Batch batch;
  data.Gather(indices, &batch);
  std::vector<float> mean(data.features());
  for (size_t i = 0; i < batch.features.size(); ++i) {
    mean[i % mean.size()] += batch.features[i] / static_cast<float>(indices.size());
  }
  return mean;
}

TEST(SyntheticDatasetTest, SameOptionsGiveTheSamePoints) {
  const SyntheticOptions options = {.examples = 30, .shape = {2, 3}, .seed = 4};
  const SyntheticDataset one(options);
  const SyntheticDataset two(options);
  EXPECT_EQ(one.features(), 6u);
  EXPECT_EQ(one.classes(), 10);
  Batch a, b;
  one.Gather({29, 0, 13}, &a);
  two.Gather({29, 0, 13}, &b);
  EXPECT_EQ(a.features, b.features);
  EXPECT_EQ(a.labels, (std::vector<int64_t>{9, 0, 3}));
}

TEST(SyntheticDatasetTest, TrainAndTestShareTheirCentresButNotTheirPoints) {
  const SyntheticDataset train({.examples = 4000, .shape = {8}, .seed = 4, .stream = 0});
  const SyntheticDataset test({.examples = 4000, .shape = {8}, .seed = 4, .stream = 1});
  for (uint32_t label : {0u, 9u}) {
    const std::vector<float> a = MeanOfClass(train, label);
    const std::vector<float> b = MeanOfClass(test, label);
    EXPECT_NE(a, b);
    // Each mean of 400 points has a deviation of 0.05.
    for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 0.35);
  }
}

TEST(SyntheticDatasetTest, ClassesAreApart) {
  const SyntheticDataset data({.examples = 4000, .shape = {64}, .seed = 4});
  const std::vector<float> a = MeanOfClass(data, 1);
  const std::vector<float> b = MeanOfClass(data, 2);
  double squares = 0;
  for (size_t i = 0; i < a.size(); ++i) squares += (a[i] - b[i]) * (a[i] - b[i]);
  EXPECT_GT(std::sqrt(squares), 4);  // 11.3 expected
}

}  // namespace
}  // namespace starling
