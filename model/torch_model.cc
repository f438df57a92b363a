#include "model/torch_model.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "model/fingerprint.h"
#include "model/torch_network.h"
#include "model/torch_threads.h"
#include "peer/runtime/check.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

// Runs `body`, which returns a StatusOr, and turns what LibTorch throws into a status.
template <typename Body>
auto WithoutExceptions(const std::string& name, Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const c10::Error& error) {
    return absl::InternalError(
        absl::StrCat("model ", name, ": LibTorch: ", error.what_without_backtrace()));
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("model ", name, ": ", error.what()));
  }
}

int64_t Product(const std::vector<int64_t>& shape) {
  int64_t product = 1;
  for (int64_t size : shape) product *= size;
  return product;
}

class TorchModel final : public Model {
 public:
  TorchModel(TorchNetwork network, const TorchModelOptions& options)
      : network_(std::move(network)),
        threads_(options.threads),
        features_(static_cast<size_t>(Product(network_.input_shape))),
        noise_(Random(options.seed).Split("dropout").Split(options.stream)) {
    int64_t length = 0;
    for (const ParameterSpec& spec : network_.parameters) length += Product(spec.shape);
    flat_parameters_ = at::zeros({length});
    flat_gradients_ = at::zeros({length});

    const Random random = Random(options.seed).Split("parameters").Split(network_.name);
    int64_t offset = 0;
    for (const ParameterSpec& spec : network_.parameters) {
      const int64_t count = Product(spec.shape);
      float* values = flat_parameters_.data_ptr<float>() + offset;
      Random draw = random.Split(spec.name);
      for (int64_t i = 0; i < count; ++i) {
        const double noise = spec.deviation > 0 ? spec.deviation * draw.Normal() : 0;
        values[i] = static_cast<float>(spec.mean + noise);
      }
      at::Tensor parameter = at::from_blob(values, spec.shape).set_requires_grad(true);
      parameter.mutable_grad() =
          at::from_blob(flat_gradients_.data_ptr<float>() + offset, spec.shape);
      parameters_.push_back(std::move(parameter));
      offset += count;
    }
  }

  std::string name() const override { return network_.name; }

  ModelFingerprint fingerprint() const override {
    std::vector<NamedShape> shapes;
    for (const ParameterSpec& spec : network_.parameters) shapes.push_back({spec.name, spec.shape});
    return FingerprintOf(network_.name, shapes);
  }

  absl::Span<float> parameters() override { return FlatSpan(flat_parameters_); }
  absl::Span<const float> gradients() const override { return FlatSpan(flat_gradients_); }
  int threads() const override { return threads_; }

  absl::StatusOr<double> ComputeGradients(const Batch& batch) override {
    if (absl::Status status = Validate(batch); !status.ok()) return status;
    return WithoutExceptions(network_.name, [&]() -> absl::StatusOr<double> {
      UseTorchThreads(threads_);
      const at::AutoGradMode with_gradients(true);
      flat_gradients_.zero_();
      const at::Tensor loss = at::cross_entropy_loss(Scores(batch, &noise_), Labels(batch));
      loss.backward();
      BringStrayGradientsHome();
      return loss.item<double>();
    });
  }

  bool has_curvature() const override { return true; }

  absl::StatusOr<double> ComputeGradientsAndCurvature(const Batch& batch,
                                                      absl::Span<const float> probe,
                                                      absl::Span<float> hessian_probe) override {
    const size_t length = static_cast<size_t>(flat_parameters_.numel());
    STARLING_CHECK(probe.size() == length && hessian_probe.size() == length);
    if (absl::Status status = Validate(batch); !status.ok()) return status;
    return WithoutExceptions(network_.name, [&]() -> absl::StatusOr<double> {
      UseTorchThreads(threads_);
      const at::AutoGradMode with_gradients(true);
      const at::Tensor loss = at::cross_entropy_loss(Scores(batch, &noise_), Labels(batch));
      const std::vector<at::Tensor> gradients =
          torch::autograd::grad({loss}, parameters_, /*grad_outputs=*/{}, /*retain_graph=*/true,
                                /*create_graph=*/true, /*allow_unused=*/true);
      CopyToFlat(gradients, flat_gradients_.data_ptr<float>());
      CopyToFlat(HessianTimes(probe, gradients), hessian_probe.data());
      return loss.item<double>();
    });
  }

  std::vector<LayerSpan> layers() const override {
    std::vector<LayerSpan> layers;
    size_t offset = 0;
    for (const ParameterSpec& spec : network_.parameters) {
      const std::vector<int64_t>& shape = spec.shape;
      const int64_t kernel = shape.size() == 4 ? shape[2] * shape[3] : 1;
      layers.push_back({.offset = offset,
                        .length = static_cast<size_t>(Product(shape)),
                        .weights = shape.size() > 1,
                        .kernel = static_cast<size_t>(kernel),
                        .name = spec.name,
                        .shape = shape});
      offset += layers.back().length;
    }
    return layers;
  }

  absl::StatusOr<Evaluation> Evaluate(const Batch& batch) override {
    if (absl::Status status = Validate(batch); !status.ok()) return status;
    return WithoutExceptions(network_.name, [&]() -> absl::StatusOr<Evaluation> {
      UseTorchThreads(threads_);
      const at::NoGradGuard without_gradients;
      const at::Tensor scores = Scores(batch, nullptr);
      const at::Tensor labels = Labels(batch);
      Evaluation evaluation;
      evaluation.examples = batch.examples;
      evaluation.loss = at::cross_entropy_loss(scores, labels).item<double>();
      evaluation.accuracy = static_cast<double>(scores.argmax(1).eq(labels).sum().item<int64_t>()) /
                            static_cast<double>(batch.examples);
      return evaluation;
    });
  }

 private:
  static absl::Span<float> FlatSpan(const at::Tensor& flat) {
    return {flat.data_ptr<float>(), static_cast<size_t>(flat.numel())};
  }

  absl::Status Validate(const Batch& batch) const {
    if (batch.examples == 0 || batch.features.size() != batch.examples * features_ ||
        batch.labels.size() != batch.examples) {
      return absl::InvalidArgumentError(absl::StrCat(
          "batch of ", batch.examples, " examples has ", batch.features.size(), " features and ",
          batch.labels.size(), " labels; the model ", network_.name, " needs ", features_,
          " features and 1 label for each"));
    }
    for (int64_t label : batch.labels) {
      if (label < 0 || label >= network_.classes) {
        return absl::InvalidArgumentError(absl::StrCat("batch has the label ", label,
                                                       "; the model ", network_.name,
                                                       " knows 0 to ", network_.classes - 1));
      }
    }
    return absl::OkStatus();
  }

  // A view of the batch's memory, which LibTorch only reads.
  at::Tensor Scores(const Batch& batch, Random* noise) {
    std::vector<int64_t> shape = {static_cast<int64_t>(batch.examples)};
    shape.insert(shape.end(), network_.input_shape.begin(), network_.input_shape.end());
    const at::Tensor input = at::from_blob(const_cast<float*>(batch.features.data()), shape);
    return network_.forward(parameters_, input, noise);
  }

  at::Tensor Labels(const Batch& batch) const {
    return at::from_blob(const_cast<int64_t*>(batch.labels.data()),
                         {static_cast<int64_t>(batch.examples)}, at::kLong);
  }

  // The derivative of gradients * probe, given gradients that know how they were computed; frees
  // that knowledge. Undefined where it is 0 because nothing depends on the parameter.
  std::vector<at::Tensor> HessianTimes(absl::Span<const float> probe,
                                       const std::vector<at::Tensor>& gradients) const {
    std::vector<at::Tensor> outputs;
    std::vector<at::Tensor> probes;
    const float* values = probe.data();
    for (size_t i = 0; i < parameters_.size(); ++i) {
      if (gradients[i].defined()) {
        outputs.push_back(gradients[i]);
        probes.push_back(at::from_blob(const_cast<float*>(values), parameters_[i].sizes()));
      }
      values += parameters_[i].numel();
    }
    return torch::autograd::grad(outputs, parameters_, probes, /*retain_graph=*/false,
                                 /*create_graph=*/false, /*allow_unused=*/true);
  }

  // One tensor for each parameter; an undefined one is 0.
  void CopyToFlat(const std::vector<at::Tensor>& tensors, float* flat) const {
    const at::NoGradGuard without_gradients;
    for (size_t i = 0; i < tensors.size(); ++i) {
      at::Tensor view = at::from_blob(flat, parameters_[i].sizes());
      if (tensors[i].defined()) {
        view.copy_(tensors[i]);
      } else {
        view.zero_();
      }
      flat += view.numel();
    }
  }

  // Autograd adds to a gradient in place as far as LibTorch's versions are known, but it is free to
  // hang up another tensor instead; then its values are fetched and our view is put back.
  void BringStrayGradientsHome() {
    const at::NoGradGuard without_gradients;
    float* home = flat_gradients_.data_ptr<float>();
    for (at::Tensor& parameter : parameters_) {
      at::Tensor& gradient = parameter.mutable_grad();
      if (!gradient.defined() || gradient.data_ptr() != home) {
        at::Tensor view = at::from_blob(home, parameter.sizes());
        if (gradient.defined()) view.copy_(gradient);
        gradient = view;
      }
      home += parameter.numel();
    }
  }

  const TorchNetwork network_;
  const int threads_;
  const size_t features_;  // of one example
  Random noise_;
  at::Tensor flat_parameters_;
  at::Tensor flat_gradients_;
  std::vector<at::Tensor> parameters_;  // views of the two above
};

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> MakeTorchModel(TorchNetwork network,
                                                      const TorchModelOptions& options) {
  if (options.threads < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("threads is ", options.threads, "; it must be at least 1"));
  }
  const std::string name = network.name;
  return WithoutExceptions(name, [&]() -> absl::StatusOr<std::unique_ptr<Model>> {
    UseTorchThreads(options.threads);
    return std::make_unique<TorchModel>(std::move(network), options);
  });
}

}  // namespace starling
