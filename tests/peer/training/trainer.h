// A TrainingActor on an executor driven by hand, with a FakeModel, everything it reports kept.

#ifndef STARLING_TESTS_PEER_TRAINING_TRAINER_H_
#define STARLING_TESTS_PEER_TRAINING_TRAINER_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "peer/training/training_actor.h"
#include "tests/peer/runtime/manual_executor.h"
#include "tests/peer/training/fake_model.h"

namespace starling {

struct Trainer {
  static constexpr size_t kBatchSize = 3;
  static constexpr float kRate = 0.125f;

  explicit Trainer(TrainingOptions options = {}, std::vector<float> initial = {1, 2, 3, 4, 5},
                   const std::string& optimizer = "sgd")
      : Trainer(std::move(options), initial, OptimizerNamed(optimizer, initial.size())) {}
  Trainer(TrainingOptions options, std::vector<float> initial, std::unique_ptr<Optimizer> optimizer)
      : script(std::make_shared<FakeModelScript>()) {
    if (!options.rounds.empty() && options.on_contribution == nullptr) {
      options.on_contribution = [this](Contribution each) { begun.push_back(std::move(each)); };
    }
    actor = std::make_unique<TrainingActor>(
        &executor, std::make_unique<FakeModel>(script, std::move(initial)), std::move(optimizer),
        BatchCursor(SmallDataset(10), {0, 1, 2, 3, 4, 5, 6}, kBatchSize, Random(1)), &pool,
        std::move(options), [this](const TrainingProgress& each) { progress.push_back(each); });
  }

  static std::unique_ptr<Optimizer> OptimizerNamed(const std::string& name, size_t elements) {
    v1::OptimizerConfig config;
    config.set_name(name);
    config.set_learning_rate(kRate);
    return *MakeOptimizer(config, elements);
  }

  // Runs posted tasks until this many steps are made in all.
  void RunUntilStep(uint64_t step) {
    while ((progress.empty() || progress.back().step < step) && executor.RunOne()) {
    }
  }
  uint64_t step() const { return progress.empty() ? 0 : progress.back().step; }
  std::vector<float> parameters() const {
    return {script->parameters.begin(), script->parameters.end()};
  }

  ManualExecutor executor;
  BufferPool pool{size_t{1} << 20};
  std::shared_ptr<FakeModelScript> script;
  std::vector<TrainingProgress> progress;
  std::vector<Contribution> begun;  // rounds, unless the options say otherwise
  std::unique_ptr<TrainingActor> actor;
};

inline TrainingOptions Paced(absl::Duration step_time) {
  TrainingOptions options;
  options.step_time = [step_time] { return step_time; };
  return options;
}

}  // namespace starling

#endif  // STARLING_TESTS_PEER_TRAINING_TRAINER_H_
