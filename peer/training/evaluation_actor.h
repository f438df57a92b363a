// Measures copies of parameters on the test set, on an executor of its own, so that training never
// waits for it. It owns a second instance of the model and never sees the live parameters.

#ifndef STARLING_PEER_TRAINING_EVALUATION_ACTOR_H_
#define STARLING_PEER_TRAINING_EVALUATION_ACTOR_H_

#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "model/dataset.h"
#include "model/model.h"
#include "peer/runtime/actor.h"
#include "peer/runtime/shared_bytes.h"

namespace starling {

class EvaluationActor : public Actor {
 public:
  // At most `kMailbox` evaluations wait; more are refused.
  static constexpr size_t kMailbox = 4;

  EvaluationActor(Executor* executor, std::unique_ptr<Model> model,
                  std::shared_ptr<const Dataset> test);

  // Any thread. `parameters` has the model's length. `done` runs on the evaluation executor with
  // the result, or INTERNAL if the model failed. False: too many wait already.
  bool Evaluate(SharedBytes parameters,
                absl::AnyInvocable<void(absl::StatusOr<Evaluation>)> done);

 private:
  absl::StatusOr<Evaluation> Run(const SharedBytes& parameters);

  const std::unique_ptr<Model> model_;
  const std::shared_ptr<const Dataset> test_;
};

}  // namespace starling

#endif  // STARLING_PEER_TRAINING_EVALUATION_ACTOR_H_
