#include "peer/training/evaluation_actor.h"

#include <cstring>
#include <utility>

#include "model/evaluate.h"
#include "peer/runtime/check.h"

namespace starling {
namespace {

constexpr size_t kBatch = 500;

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
  return EvaluateOn(*model_, *test_, kBatch);
}

}  // namespace starling
