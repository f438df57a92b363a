// Every optimizer, with its defaults, as the training actor drives it.

#include <memory>
#include <numeric>
#include <string>
#include <vector>

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

class OptimizerTrainingTest : public testing::TestWithParam<std::string> {};

TEST_P(OptimizerTrainingTest, LowersTheLossOfAPerceptron) {
  const SyntheticDataset data({.examples = 200});
  v1::ModelConfig model_config;
  model_config.set_name("mlp");
  const std::unique_ptr<Model> model = std::move(MakeModel(model_config, data, 1, 0, 1).value());
  v1::OptimizerConfig config;
  config.set_name(GetParam());
  const size_t elements = model->parameters().size();
  const std::unique_ptr<Optimizer> optimizer =
      std::move(MakeOptimizer(config, elements, model->layers()).value());
  CurvatureProbe probe(Random(1), elements);
  std::vector<float> hessian_probe(optimizer->needs_curvature() ? elements : 0);

  const double before = EvaluateOn(*model, data, 100).value().loss;
  Batch batch;
  for (uint32_t step = 0; step < 40; ++step) {
    std::vector<uint32_t> indices(50);
    std::iota(indices.begin(), indices.end(), step % 4 * 50);
    data.Gather(indices, &batch);
    optimizer->Prepare(model->parameters());
    if (optimizer->needs_curvature()) {
      ASSERT_TRUE(model->ComputeGradientsAndCurvature(batch, probe.Draw(),
                                                      absl::MakeSpan(hessian_probe)).ok());
      optimizer->SetCurvature(hessian_probe);
    } else {
      ASSERT_TRUE(model->ComputeGradients(batch).ok());
    }
    optimizer->Step(model->parameters(), model->gradients());
  }
  const double after = EvaluateOn(*model, data, 100).value().loss;
  EXPECT_LT(after, 0.8 * before);
}

std::vector<std::string> OptimizerNames() {
  std::vector<std::string> names;
  for (const CatalogEntry& entry : OptimizerCatalog()) names.emplace_back(entry.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Catalog, OptimizerTrainingTest, testing::ValuesIn(OptimizerNames()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace starling
