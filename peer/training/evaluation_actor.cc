#include "peer/training/evaluation_actor.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "peer/runtime/check.h"

namespace starling {
namespace {

constexpr size_t kChunk = 500;

}  // namespace

EvaluationActor::EvaluationActor(Executor* executor, std::unique_ptr<Model> model,
                                 std::shared_ptr<const Dataset> test)
    : Actor(executor, kMailbox), model_(std::move(model)), test_(std::move(test)) {}

bool EvaluationActor::Evaluate(SharedBytes parameters,
                               absl::AnyInvocable<void(absl::StatusOr<Evaluation>)> done) {
  return Post([this, parameters = std::move(parameters), done = std::move(done)]() mutable {
    done(Run(parameters));
  });
}

absl::StatusOr<Evaluation> EvaluationActor::Run(const SharedBytes& parameters) {
  AssertHere();
  STARLING_CHECK(parameters.size() == model_->parameters().size() * sizeof(float));
  std::memcpy(model_->parameters().data(), parameters.data(), parameters.size());
  Evaluation total;
  std::vector<uint32_t> indices;
  for (size_t begin = 0; begin < test_->size(); begin += kChunk) {
    indices.resize(std::min(kChunk, test_->size() - begin));
    std::iota(indices.begin(), indices.end(), static_cast<uint32_t>(begin));
    test_->Gather(indices, &batch_);
    const absl::StatusOr<Evaluation> part = model_->Evaluate(batch_);
    if (!part.ok()) return part.status();
    const double weight = static_cast<double>(part->examples);
    total.accuracy += part->accuracy * weight;
    total.loss += part->loss * weight;
    total.examples += part->examples;
  }
  if (total.examples > 0) {
    total.accuracy /= static_cast<double>(total.examples);
    total.loss /= static_cast<double>(total.examples);
  }
  return total;
}

}  // namespace starling
