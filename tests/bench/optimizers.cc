// A step of our flat optimizers against LibTorch's own, and memcpy, in the same run; one thread.
//
//   bazel run //tests/bench:optimizers -- --benchmark_repetitions=5 --benchmark_report_aggregates_only
//
// items/s are parameters.

#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "model/optimizer.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

std::vector<float> Gaussian(size_t count, uint64_t seed) {
  Random random(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(0.01 * random.Normal());
  return values;
}

void CountParameters(benchmark::State& state, size_t elements) {
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * elements));
}

void Memcpy(benchmark::State& state, size_t elements) {
  const std::vector<float> from = Gaussian(elements, 1);
  std::vector<float> to(elements);
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), elements * sizeof(float));
    benchmark::ClobberMemory();
  }
  CountParameters(state, elements);
}

v1::OptimizerConfig ConfigOf(const std::string& name) {
  v1::OptimizerConfig config;
  config.set_name(name);
  config.set_learning_rate(1e-4);
  config.set_weight_decay(0.01);
  return config;
}

void Ours(benchmark::State& state, const std::string& name, size_t elements) {
  const auto optimizer = *MakeOptimizer(ConfigOf(name), elements);
  std::vector<float> parameters = Gaussian(elements, 1);
  const std::vector<float> gradients = Gaussian(elements, 2);
  for (auto _ : state) {
    optimizer->Step(absl::MakeSpan(parameters), gradients);
    benchmark::ClobberMemory();
  }
  CountParameters(state, elements);
}

std::unique_ptr<torch::optim::Optimizer> Reference(const std::string& name, torch::Tensor tensor) {
  if (name == "adamw") {
    return std::make_unique<torch::optim::AdamW>(
        std::vector<torch::Tensor>{tensor}, torch::optim::AdamWOptions(1e-4).weight_decay(0.01));
  }
  torch::optim::SGDOptions options(1e-4);
  options.weight_decay(0.01);
  if (name == "nesterov") options.momentum(0.9).nesterov(true);
  return std::make_unique<torch::optim::SGD>(std::vector<torch::Tensor>{tensor}, options);
}

void Torch(benchmark::State& state, const std::string& name, size_t elements) {
  torch::set_num_threads(1);
  torch::Tensor tensor = torch::empty({static_cast<int64_t>(elements)});
  const std::vector<float> parameters = Gaussian(elements, 1);
  std::memcpy(tensor.data_ptr<float>(), parameters.data(), elements * sizeof(float));
  tensor.set_requires_grad(true);
  tensor.mutable_grad() = torch::full({static_cast<int64_t>(elements)}, 0.01);
  const auto optimizer = Reference(name, tensor);
  for (auto _ : state) optimizer->step();
  CountParameters(state, elements);
}

void Register() {
  for (const size_t elements : {size_t{1} << 20, size_t{16} << 20}) {
    const std::string size = absl::StrCat(elements >> 20, "Mi");
    benchmark::RegisterBenchmark(absl::StrCat("memcpy/", size).c_str(),
                                 [=](benchmark::State& state) { Memcpy(state, elements); });
    for (const std::string name : {"sgd", "nesterov", "adamw"}) {
      benchmark::RegisterBenchmark(absl::StrCat(name, "/ours/", size).c_str(),
                                   [=](benchmark::State& state) { Ours(state, name, elements); });
      benchmark::RegisterBenchmark(absl::StrCat(name, "/torch/", size).c_str(),
                                   [=](benchmark::State& state) { Torch(state, name, elements); });
    }
  }
}

}  // namespace
}  // namespace starling

int main(int argc, char** argv) {
  starling::Register();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
