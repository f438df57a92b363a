#include "tests/sim/workload.h"

#include "model/quadratic_model.h"
#include "model/synthetic_dataset.h"

namespace starling {
namespace {

constexpr uint32_t kTestExamples = 100;

std::shared_ptr<const Dataset> MakeData(const SimulationOptions& options, uint32_t examples,
                                        uint64_t stream) {
  SyntheticOptions data;
  data.examples = examples;
  data.shape = {static_cast<int64_t>(options.dimension)};
  data.seed = options.seed;
  data.stream = stream;
  return std::make_shared<SyntheticDataset>(data);
}

}  // namespace

Workload MakeWorkload(const SimulationOptions& options) {
  Workload workload;
  workload.train =
      options.train != nullptr ? options.train : MakeData(options, options.examples, 0);
  workload.test = options.test != nullptr ? options.test : MakeData(options, kTestExamples, 1);
  workload.make_model = options.make_model;
  if (workload.make_model == nullptr) {
    const size_t dimension = options.dimension;
    const size_t features = workload.train->features();
    workload.make_model = [dimension, features](uint64_t seed) {
      return std::make_unique<QuadraticModel>(dimension, features, seed);
    };
    workload.optimum = QuadraticModel::Optimum(*workload.train, dimension);
    workload.parameters = dimension;
  } else {
    workload.parameters = workload.make_model(options.seed)->parameters().size();
  }
  workload.make_evaluation_model = options.make_evaluation_model != nullptr
                                       ? options.make_evaluation_model
                                       : workload.make_model;
  return workload;
}

}  // namespace starling
