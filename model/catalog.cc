#include "model/catalog.h"

#include <string>
#include <vector>

#include "peer/runtime/nearest_name.h"

namespace starling {
namespace {

constexpr CatalogEntry kModels[] = {
    {"mlp", "784-256-128-10 perceptron, ReLU; 235,146 parameters"},
    {"mlp_small", "784-64-10 perceptron, ReLU; 50,890 parameters"},
    {"mlp_large", "784-1024-1024-1024-10 perceptron, ReLU, dropout; 2,913,290 parameters"},
    {"cnn", "two 3x3 convolutions with GroupNorm and pooling, one linear layer; 9,146 parameters"},
    {"quadratic", "a quadratic whose optimum is the mean of the data; needs no LibTorch"},
};

constexpr CatalogEntry kData[] = {
    {"fashion_mnist", "60,000 + 10,000 images of clothes, 28x28, from dataset-fashion-mnist"},
    {"idx", "a directory of four IDX files of 28x28 images in ten classes, such as MNIST"},
    {"synthetic", "ten clusters of random points in the shape of 28x28 images; needs no files"},
};

constexpr CatalogEntry kOptimizers[] = {
    {"sgd", "plain stochastic gradient descent"},
    {"nesterov", "gradient descent with Nesterov momentum"},
    {"nesterov_velocity", "the same with the rate inside the velocity, as EAMSGD needs it"},
    {"adamw", "Adam with decoupled weight decay"},
    {"adahessian", "Adam over the curvature, which costs two more passes a step"},
    {"lars", "momentum, with each layer's step in proportion to its weights"},
};

absl::Status ValidateName(absl::string_view kind, absl::string_view name,
                          absl::Span<const CatalogEntry> catalog) {
  std::vector<std::string> names;
  for (const CatalogEntry& entry : catalog) {
    if (entry.name == name) return absl::OkStatus();
    names.emplace_back(entry.name);
  }
  return UnknownNameError(kind, name, names);
}

}  // namespace

absl::Span<const CatalogEntry> ModelCatalog() { return kModels; }
absl::Span<const CatalogEntry> DataCatalog() { return kData; }
absl::Span<const CatalogEntry> OptimizerCatalog() { return kOptimizers; }

absl::Status ValidateModelName(absl::string_view name) {
  return ValidateName("model", name, kModels);
}

absl::Status ValidateDataName(absl::string_view name) {
  return ValidateName("data set", name, kData);
}

}  // namespace starling
