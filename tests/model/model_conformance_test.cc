// The contract of model.h, tried on every row of the registry.

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "model/catalog.h"
#include "model/curvature_probe.h"
#include "model/evaluate.h"
#include "model/optimizer.h"
#include "model/registry.h"
#include "model/synthetic_dataset.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

const SyntheticDataset& Data() {
  static const auto* const data = new SyntheticDataset({.examples = 200});
  return *data;
}

Batch Examples(uint32_t first, uint32_t count) {
  std::vector<uint32_t> indices(count);
  std::iota(indices.begin(), indices.end(), first);
  Batch batch;
  Data().Gather(indices, &batch);
  return batch;
}

Batch FirstExamples(uint32_t count) { return Examples(0, count); }

std::vector<float> Copy(absl::Span<const float> values) {
  return std::vector<float>(values.begin(), values.end());
}

class ModelConformanceTest : public testing::TestWithParam<std::string> {
 protected:
  static std::unique_ptr<Model> Make(uint64_t seed = 1, uint64_t stream = 0, int threads = 1) {
    v1::ModelConfig config;
    config.set_name(GetParam());
    absl::StatusOr<std::unique_ptr<Model>> model = MakeModel(config, Data(), seed, stream, threads);
    if (!model.ok()) {
      ADD_FAILURE() << model.status();
      abort();
    }
    return std::move(*model);
  }
};

TEST_P(ModelConformanceTest, FingerprintBelongsToTheModelNotToTheInstance) {
  EXPECT_EQ(Make(1)->fingerprint(), Make(2, 3, 2)->fingerprint());
  EXPECT_FALSE(Make()->fingerprint().empty());
  std::map<ModelFingerprint, std::string> seen;
  for (const CatalogEntry& entry : ModelCatalog()) {
    v1::ModelConfig config;
    config.set_name(std::string(entry.name));
    auto model = MakeModel(config, Data(), 1, 0, 1);
    ASSERT_TRUE(model.ok()) << model.status();
    EXPECT_TRUE(seen.emplace((*model)->fingerprint(), entry.name).second) << entry.name;
  }
}

TEST_P(ModelConformanceTest, FirstParametersDependOnTheSeedAlone) {
  const std::vector<float> one = Copy(Make(1, 0, 1)->parameters());
  EXPECT_EQ(one, Copy(Make(1, 5, 2)->parameters()));
  EXPECT_NE(one, Copy(Make(2, 0, 1)->parameters()));
  for (float value : one) ASSERT_TRUE(std::isfinite(value));
}

TEST_P(ModelConformanceTest, ComputingGradientsLeavesParametersAndAddressesAlone) {
  const std::unique_ptr<Model> model = Make();
  const std::vector<float> before = Copy(model->parameters());
  const float* const parameters = model->parameters().data();
  const float* const gradients = model->gradients().data();
  const Batch batch = FirstExamples(8);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(model->ComputeGradients(batch).ok());
  EXPECT_EQ(Copy(model->parameters()), before);
  EXPECT_EQ(model->parameters().data(), parameters);
  EXPECT_EQ(model->gradients().data(), gradients);
  EXPECT_EQ(model->gradients().size(), before.size());
}

TEST_P(ModelConformanceTest, GradientsAreOfTheLastBatchOnly) {
  // Two models whose first batches differ, but not in size, so that their second dropout noise
  // agrees.
  const std::unique_ptr<Model> one = Make();
  const std::unique_ptr<Model> two = Make();
  ASSERT_TRUE(one->ComputeGradients(Examples(0, 8)).ok());
  ASSERT_TRUE(two->ComputeGradients(Examples(50, 8)).ok());
  EXPECT_NE(Copy(one->gradients()), Copy(two->gradients()));
  ASSERT_TRUE(one->ComputeGradients(Examples(20, 8)).ok());
  ASSERT_TRUE(two->ComputeGradients(Examples(20, 8)).ok());
  EXPECT_EQ(Copy(one->gradients()), Copy(two->gradients()));
}

TEST_P(ModelConformanceTest, SameSeedAndStreamGiveTheSameGradients) {
  const std::unique_ptr<Model> one = Make(3, 7);
  const std::unique_ptr<Model> two = Make(3, 7);
  for (int i = 0; i < 2; ++i) {
    absl::StatusOr<double> loss = one->ComputeGradients(FirstExamples(8));
    ASSERT_TRUE(loss.ok()) << loss.status();
    // A third model that computes in between disturbs nobody.
    ASSERT_TRUE(Make(9, 9)->ComputeGradients(FirstExamples(4)).ok());
    absl::StatusOr<double> other = two->ComputeGradients(FirstExamples(8));
    ASSERT_TRUE(other.ok()) << other.status();
    EXPECT_EQ(*loss, *other);
    EXPECT_EQ(Copy(one->gradients()), Copy(two->gradients()));
  }
}

// The first pass of every model of one seed and stream has the same dropout noise, so the loss is
// one function of the parameters there.
TEST_P(ModelConformanceTest, GradientIsTheSlopeOfTheLoss) {
  const Batch batch = FirstExamples(4);
  const auto loss_after = [&](const std::vector<float>& change) {
    const std::unique_ptr<Model> model = Make();
    for (size_t i = 0; i < change.size(); ++i) model->parameters()[i] += change[i];
    return model->ComputeGradients(batch).value();
  };
  const std::unique_ptr<Model> model = Make();
  ASSERT_TRUE(model->ComputeGradients(batch).ok());
  const std::vector<float> gradient = Copy(model->gradients());
  const double norm = std::sqrt(
      std::inner_product(gradient.begin(), gradient.end(), gradient.begin(), 0.0));
  ASSERT_GT(norm, 1e-3);

  // Along the whole gradient ...
  std::vector<float> change(gradient.size());
  const double length = 2e-3 / std::max(1.0, norm / 10);
  for (size_t i = 0; i < change.size(); ++i) {
    change[i] = static_cast<float>(length * gradient[i] / norm);
  }
  const double up = loss_after(change);
  for (float& value : change) value = -value;
  const double slope = (up - loss_after(change)) / (2 * length);
  EXPECT_NEAR(slope, norm, 0.02 * norm);

  // ... and along the steepest coordinate of each third of the vector.
  const size_t third = gradient.size() / 3;
  for (size_t begin = 0; begin + third <= gradient.size(); begin += third) {
    const auto steepest = std::max_element(
        gradient.begin() + static_cast<ptrdiff_t>(begin),
        gradient.begin() + static_cast<ptrdiff_t>(begin + third),
        [](float a, float b) { return std::abs(a) < std::abs(b); });
    const size_t at = static_cast<size_t>(steepest - gradient.begin());
    std::vector<float> probe(gradient.size());
    probe[at] = 2e-3f;
    const double above = loss_after(probe);
    probe[at] = -2e-3f;
    const double coordinate_slope = (above - loss_after(probe)) / 4e-3;
    EXPECT_NEAR(coordinate_slope, *steepest, 0.03 * std::abs(*steepest) + 2e-3)
        << "coordinate " << at;
  }
}

// The Hessian of a fresh model's first pass times the probe, and the gradient that came with it.
struct CurvaturePass {
  double loss = 0;
  std::vector<float> gradients;
  std::vector<float> hessian_probe;
};

CurvaturePass ProbeCurvature(Model& model, const Batch& batch, absl::Span<const float> probe) {
  CurvaturePass pass;
  pass.hessian_probe.resize(probe.size(), 7.0f);
  pass.loss = model
                  .ComputeGradientsAndCurvature(batch, probe, absl::MakeSpan(pass.hessian_probe))
                  .value();
  pass.gradients = Copy(model.gradients());
  return pass;
}

double Dot(const std::vector<float>& a, const std::vector<float>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

TEST_P(ModelConformanceTest, CurvatureComesWithTheGradientsOfTheSamePass) {
  const std::unique_ptr<Model> plain = Make();
  const std::unique_ptr<Model> curved = Make();
  ASSERT_TRUE(curved->has_curvature());
  const std::vector<float> before = Copy(curved->parameters());
  CurvatureProbe probe(Random(1), before.size());
  for (uint32_t first : {0u, 50u}) {
    const double loss = plain->ComputeGradients(Examples(first, 8)).value();
    const CurvaturePass pass = ProbeCurvature(*curved, Examples(first, 8), probe.Draw());
    EXPECT_NEAR(pass.loss, loss, 1e-5 * loss);
    for (size_t i = 0; i < before.size(); ++i) {
      ASSERT_NEAR(pass.gradients[i], plain->gradients()[i], 1e-5) << i;
    }
  }
  EXPECT_EQ(Copy(curved->parameters()), before);
  // And nothing of the curvature is left for those who ask for gradients alone.
  ASSERT_TRUE(plain->ComputeGradients(Examples(90, 8)).ok());
  ASSERT_TRUE(curved->ComputeGradients(Examples(90, 8)).ok());
  EXPECT_EQ(Copy(plain->gradients()), Copy(curved->gradients()));
}

TEST_P(ModelConformanceTest, CurvatureIsTheSlopeOfTheGradient) {
  const Batch batch = FirstExamples(2);
  const std::unique_ptr<Model> model = Make();
  CurvatureProbe draw(Random(1), model->parameters().size());
  const std::vector<float> probe = Copy(draw.Draw());
  const std::vector<float> hessian_probe = ProbeCurvature(*model, batch, probe).hessian_probe;
  // So short that hardly a ReLU changes sides on the way.
  const float length = 1e-5f;
  const auto gradients_at = [&](float distance) {
    const std::unique_ptr<Model> moved = Make();
    for (size_t i = 0; i < probe.size(); ++i) moved->parameters()[i] += distance * probe[i];
    EXPECT_TRUE(moved->ComputeGradients(batch).ok());
    return Copy(moved->gradients());
  };
  const std::vector<float> above = gradients_at(length);
  const std::vector<float> below = gradients_at(-length);
  std::vector<float> difference(probe.size());
  for (size_t i = 0; i < probe.size(); ++i) {
    difference[i] = (above[i] - below[i]) / (2 * length) - hessian_probe[i];
  }
  const double norm = std::sqrt(Dot(hessian_probe, hessian_probe));
  ASSERT_GT(norm, 1e-3);
  EXPECT_LT(std::sqrt(Dot(difference, difference)), 0.03 * norm);
}

TEST_P(ModelConformanceTest, HessianIsSymmetric) {
  const Batch batch = FirstExamples(8);
  CurvatureProbe draw(Random(1), Make()->parameters().size());
  const std::vector<float> one = Copy(draw.Draw());
  const std::vector<float> two = Copy(draw.Draw());
  const std::vector<float> hessian_one = ProbeCurvature(*Make(), batch, one).hessian_probe;
  const std::vector<float> hessian_two = ProbeCurvature(*Make(), batch, two).hessian_probe;
  const double scale = std::sqrt(Dot(hessian_one, hessian_one) * static_cast<double>(one.size()));
  EXPECT_NEAR(Dot(two, hessian_one), Dot(one, hessian_two), 1e-5 * scale);
  EXPECT_NE(hessian_one, hessian_two);
}

TEST_P(ModelConformanceTest, LayersCoverTheParametersInOrder) {
  const std::unique_ptr<Model> model = Make();
  size_t covered = 0;
  std::set<std::string> names;
  ASSERT_FALSE(model->layers().empty());
  for (const LayerSpan& layer : model->layers()) {
    EXPECT_EQ(layer.offset, covered);
    ASSERT_GT(layer.kernel, 0u);
    EXPECT_EQ(layer.length % layer.kernel, 0u);
    EXPECT_TRUE(names.insert(layer.name).second) << layer.name << " twice";
    size_t elements = 1;
    for (const int64_t length : layer.shape) elements *= static_cast<size_t>(length);
    EXPECT_EQ(elements, layer.length) << layer.name;
    covered += layer.length;
  }
  EXPECT_EQ(covered, model->parameters().size());
}

TEST_P(ModelConformanceTest, ParametersAreTheMemoryTheNetworkComputesWith) {
  const std::unique_ptr<Model> model = Make(1);
  const std::unique_ptr<Model> other = Make(2);
  const Batch batch = FirstExamples(20);
  const Evaluation first = model->Evaluate(batch).value();
  const Evaluation second = other->Evaluate(batch).value();
  EXPECT_NE(first.loss, second.loss);
  std::copy(other->parameters().begin(), other->parameters().end(), model->parameters().begin());
  EXPECT_EQ(model->Evaluate(batch).value().loss, second.loss);
  std::fill(model->parameters().begin(), model->parameters().end(), 0.0f);
  EXPECT_NE(model->Evaluate(batch).value().loss, second.loss);
}

TEST_P(ModelConformanceTest, EvaluationHasNoNoiseAndLeavesGradientsAlone) {
  const std::unique_ptr<Model> model = Make(1, 0);
  const Batch batch = FirstExamples(20);
  ASSERT_TRUE(model->ComputeGradients(batch).ok());
  const std::vector<float> gradients = Copy(model->gradients());
  const Evaluation first = model->Evaluate(batch).value();
  const Evaluation second = model->Evaluate(batch).value();
  EXPECT_EQ(first.loss, second.loss);
  EXPECT_EQ(first.accuracy, second.accuracy);
  EXPECT_EQ(first.examples, 20u);
  EXPECT_EQ(Copy(model->gradients()), gradients);
  EXPECT_EQ(Make(1, 8)->Evaluate(batch).value().loss, first.loss);
}

TEST_P(ModelConformanceTest, EvaluationOfAWholeSetDoesNotDependOnTheBatchSize) {
  const std::unique_ptr<Model> model = Make();
  const Evaluation whole = EvaluateOn(*model, Data(), Data().size()).value();
  const Evaluation pieces = EvaluateOn(*model, Data(), 33).value();
  EXPECT_EQ(whole.examples, Data().size());
  EXPECT_EQ(pieces.examples, Data().size());
  EXPECT_NEAR(whole.loss, pieces.loss, 1e-4 * whole.loss);
  EXPECT_NEAR(whole.accuracy, pieces.accuracy, 1e-9);
}

TEST_P(ModelConformanceTest, SomeStepsReduceTheLoss) {
  const std::unique_ptr<Model> model = Make();
  v1::OptimizerConfig config;
  config.set_name("nesterov");
  auto optimizer = MakeOptimizer(config, model->parameters().size());
  ASSERT_TRUE(optimizer.ok()) << optimizer.status();
  const double before = EvaluateOn(*model, Data(), 100).value().loss;
  const Batch batch = FirstExamples(100);
  for (int step = 0; step < 20; ++step) {
    ASSERT_TRUE(model->ComputeGradients(batch).ok());
    (*optimizer)->Step(model->parameters(), model->gradients());
  }
  const double after = EvaluateOn(*model, Data(), 100).value().loss;
  EXPECT_LT(after, 0.9 * before);
}

TEST_P(ModelConformanceTest, BatchThatDoesNotFitIsRefusedAndChangesNothing) {
  const std::unique_ptr<Model> model = Make();
  const Batch good = FirstExamples(4);
  ASSERT_TRUE(model->ComputeGradients(good).ok());
  const std::vector<float> gradients = Copy(model->gradients());
  const std::vector<float> probe(gradients.size(), 1.0f);
  std::vector<float> hessian_probe(gradients.size());

  Batch empty;
  Batch few_features = good;
  few_features.features.pop_back();
  Batch many_examples = good;
  many_examples.examples = 5;
  for (const Batch& bad : {empty, few_features, many_examples}) {
    EXPECT_EQ(model->ComputeGradients(bad).status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(model->Evaluate(bad).status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(model->ComputeGradientsAndCurvature(bad, probe, absl::MakeSpan(hessian_probe))
                  .status()
                  .code(),
              absl::StatusCode::kInvalidArgument);
  }
  if (GetParam() != "quadratic") {  // which reads no labels
    Batch no_labels = good;
    no_labels.labels.clear();
    Batch high_label = good;
    high_label.labels[2] = 10;
    Batch low_label = good;
    low_label.labels[2] = -1;
    for (const Batch& bad : {no_labels, high_label, low_label}) {
      EXPECT_EQ(model->ComputeGradients(bad).status().code(), absl::StatusCode::kInvalidArgument);
      EXPECT_EQ(model->Evaluate(bad).status().code(), absl::StatusCode::kInvalidArgument);
    }
  }
  EXPECT_EQ(Copy(model->gradients()), gradients);
}

TEST_P(ModelConformanceTest, DivergedParametersGiveANonFiniteLossNotAnError) {
  const std::unique_ptr<Model> model = Make();
  std::fill(model->parameters().begin(), model->parameters().end(), std::nanf(""));
  absl::StatusOr<double> loss = model->ComputeGradients(FirstExamples(4));
  ASSERT_TRUE(loss.ok()) << loss.status();
  EXPECT_FALSE(std::isfinite(*loss));
  EXPECT_TRUE(model->Evaluate(FirstExamples(4)).ok());
}

std::vector<std::string> ModelNames() {
  std::vector<std::string> names;
  for (const CatalogEntry& entry : ModelCatalog()) names.emplace_back(entry.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Registry, ModelConformanceTest, testing::ValuesIn(ModelNames()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace starling
