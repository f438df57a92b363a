#include "model/quadratic_model.h"

#include <numeric>
#include <vector>

#include "gtest/gtest.h"
#include "model/synthetic_dataset.h"

namespace starling {
namespace {

TEST(QuadraticModelTest, GradientVanishesAtTheMeanOfTheDataAndNowhereNear) {
  const SyntheticDataset data({.examples = 100, .shape = {12}});
  QuadraticModel model(8, data.features(), 1);
  std::vector<uint32_t> all(data.size());
  std::iota(all.begin(), all.end(), 0u);
  Batch batch;
  data.Gather(all, &batch);

  const std::vector<double> optimum = QuadraticModel::Optimum(data, 8);
  for (size_t i = 0; i < 8; ++i) model.parameters()[i] = static_cast<float>(optimum[i]);
  const double least = *model.ComputeGradients(batch);
  for (float gradient : model.gradients()) EXPECT_NEAR(gradient, 0, 1e-5);

  model.parameters()[3] += 0.5f;
  EXPECT_GT(*model.ComputeGradients(batch), least);
  EXPECT_GT(model.gradients()[3], 0.2);
  EXPECT_NEAR(model.gradients()[2], 0, 1e-5);
}

TEST(QuadraticModelTest, DescentReachesTheKnownOptimum) {
  const SyntheticDataset data({.examples = 50, .shape = {5}});
  QuadraticModel model(5, 5, 3);
  std::vector<uint32_t> all(data.size());
  std::iota(all.begin(), all.end(), 0u);
  Batch batch;
  data.Gather(all, &batch);
  for (int step = 0; step < 200; ++step) {
    ASSERT_TRUE(model.ComputeGradients(batch).ok());
    for (size_t i = 0; i < 5; ++i) model.parameters()[i] -= 0.5f * model.gradients()[i];
  }
  const std::vector<double> optimum = QuadraticModel::Optimum(data, 5);
  for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(model.parameters()[i], optimum[i], 1e-5);
}

TEST(QuadraticModelTest, CurvatureGrowsFromAHalfToTwoAndTheProbeGivesItsSign) {
  const SyntheticDataset data({.examples = 1, .shape = {3}});
  QuadraticModel model(3, 3, 1);
  Batch batch;
  data.Gather({0}, &batch);
  const std::vector<float> probe = {1, -1, 1};
  std::vector<float> hessian_probe(3);
  const double loss =
      model.ComputeGradientsAndCurvature(batch, probe, absl::MakeSpan(hessian_probe)).value();
  EXPECT_FLOAT_EQ(hessian_probe[0], 0.5f);
  EXPECT_FLOAT_EQ(hessian_probe[1], -1);
  EXPECT_FLOAT_EQ(hessian_probe[2], 2);
  EXPECT_EQ(model.ComputeGradients(batch).value(), loss);
}

TEST(QuadraticModelTest, DimensionIsPartOfTheFingerprint) {
  EXPECT_EQ(QuadraticModel(4, 9, 1).fingerprint(), QuadraticModel(4, 12, 2).fingerprint());
  EXPECT_NE(QuadraticModel(4, 9, 1).fingerprint(), QuadraticModel(5, 9, 1).fingerprint());
}

}  // namespace
}  // namespace starling
