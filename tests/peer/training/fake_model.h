// A model whose gradient and loss the test dictates, and examples to feed it.

#ifndef STARLING_TESTS_PEER_TRAINING_FAKE_MODEL_H_
#define STARLING_TESTS_PEER_TRAINING_FAKE_MODEL_H_

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/model.h"
#include "model/synthetic_dataset.h"

namespace starling {

// What a FakeModel does; shared with the test, because an actor owns the model.
struct FakeModelScript {
  // Called by ComputeGradients with the number of the call, from 1; fills the gradient, which starts
  // as all ones, and returns the loss.
  std::function<absl::StatusOr<double>(int call, absl::Span<float> gradients)> compute =
      [](int, absl::Span<float>) { return 1.0; };
  // H z of the probe z; starts as the probe itself.
  std::function<void(absl::Span<const float> parameters, absl::Span<float> hessian_probe)> curvature =
      [](absl::Span<const float>, absl::Span<float>) {};
  std::function<absl::StatusOr<Evaluation>(const std::vector<float>& parameters, const Batch& batch)>
      evaluate = [](const std::vector<float>&, const Batch& batch) {
        return Evaluation{0.5, 2.0, batch.examples};
      };
  // The model's parameters, for a look between two steps.
  absl::Span<const float> parameters;
  int calls = 0;
  std::vector<size_t> batches;  // examples of each batch
};

class FakeModel : public Model {
 public:
  FakeModel(std::shared_ptr<FakeModelScript> script, std::vector<float> initial)
      : script_(std::move(script)), parameters_(std::move(initial)) {
    script_->parameters = parameters_;
  }

  std::string name() const override { return "fake"; }
  ModelFingerprint fingerprint() const override { return ModelFingerprint(1); }
  absl::Span<float> parameters() override { return absl::MakeSpan(parameters_); }
  absl::Span<const float> gradients() const override { return gradients_; }
  absl::StatusOr<double> ComputeGradients(const Batch& batch) override {
    script_->batches.push_back(batch.examples);
    gradients_.assign(parameters_.size(), 1.0f);
    return script_->compute(++script_->calls, absl::MakeSpan(gradients_));
  }
  bool has_curvature() const override { return true; }
  absl::StatusOr<double> ComputeGradientsAndCurvature(const Batch& batch,
                                                      absl::Span<const float> probe,
                                                      absl::Span<float> hessian_probe) override {
    std::copy(probe.begin(), probe.end(), hessian_probe.begin());
    script_->curvature(parameters_, hessian_probe);
    return ComputeGradients(batch);
  }
  absl::StatusOr<Evaluation> Evaluate(const Batch& batch) override {
    return script_->evaluate(parameters_, batch);
  }
  int threads() const override { return 1; }

 private:
  const std::shared_ptr<FakeModelScript> script_;
  std::vector<float> parameters_;
  std::vector<float> gradients_;
};

inline std::shared_ptr<const Dataset> SmallDataset(size_t examples) {
  return std::make_shared<SyntheticDataset>(
      SyntheticOptions{.examples = examples, .shape = {2}, .seed = 3});
}

}  // namespace starling

#endif  // STARLING_TESTS_PEER_TRAINING_FAKE_MODEL_H_
