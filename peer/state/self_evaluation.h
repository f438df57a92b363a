// Keeps the accuracy of this peer's own parameters up to date: measured now and then while it trains, at
// the end, and after the end whenever the others' exchanges have moved it since.
//
// Executor: control, as all of it. Pointers are not owned and outlive it.

#ifndef STARLING_PEER_STATE_SELF_EVALUATION_H_
#define STARLING_PEER_STATE_SELF_EVALUATION_H_

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "model/model.h"
#include "peer/runtime/actor.h"
#include "peer/training/evaluation_actor.h"
#include "peer/training/parameter_owner.h"
#include "proto/status.pb.h"

namespace starling {

class SelfEvaluation : public Actor {
 public:
  // `every`: between measurements while training; 0: at the end only. `mixes` tells how many shards others
  // have changed so far. `on_error` hears when the model fails (INTERNAL).
  SelfEvaluation(Executor* control, ParameterOwner* parameters, EvaluationActor* evaluator,
                 absl::Duration every, std::function<uint64_t()> mixes,
                 std::function<void(const absl::Status&)> on_error);

  // Training begins.
  void Begin();
  // After a step.
  void OnStep();
  // No more steps: the measurement at the end is owed, however busy the evaluator is.
  void OnFinished();
  void Stop();

  // The fields of the last evaluation; the others are unset.
  const v1::TrainingStatus& last() const { return last_; }

 private:
  void Measure();
  void OnResult(bool at_end, uint64_t step, const absl::StatusOr<Evaluation>& result);
  void OnBusy();
  void WatchMixes();

  // Constant after construction.
  ParameterOwner* const parameters_;
  EvaluationActor* const evaluator_;
  const absl::Duration every_;
  const std::function<uint64_t()> mixes_;
  const std::function<void(const absl::Status&)> on_error_;

  v1::TrainingStatus last_;
  absl::Time began_ = absl::InfinitePast();  // of the last measurement
  uint64_t measured_mixes_ = 0;              // when its copy was taken
  bool measuring_ = false;
  bool finished_ = false;
  bool stopped_ = false;
};

}  // namespace starling

#endif  // STARLING_PEER_STATE_SELF_EVALUATION_H_
