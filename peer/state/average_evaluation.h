// "How good is the average of all models right now?": fetches a copy of every living peer's
// parameters, averages the copies in double precision, measures the average on the test set, and
// throws everything away. Nobody's training notices more than one memcpy.
//
// Executor: control.

#ifndef STARLING_PEER_STATE_AVERAGE_EVALUATION_H_
#define STARLING_PEER_STATE_AVERAGE_EVALUATION_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "peer/runtime/actor.h"
#include "peer/state/state_fetcher.h"
#include "peer/training/evaluation_actor.h"
#include "proto/status.pb.h"

namespace starling {

class AverageEvaluation : public Actor {
 public:
  AverageEvaluation(Executor* control, Transport* transport, BufferPool* pool,
                    ParameterOwner* parameters, EvaluationActor* evaluator,
                    const FrameIdentity& self);

  using Callback = absl::AnyInvocable<void(absl::StatusOr<v1::EvaluateAverageResponse>)>;

  // One at a time: RESOURCE_EXHAUSTED while one runs. INTERNAL: the evaluation failed. UNAVAILABLE:
  // our own trainer did not deliver. Peers that do not deliver are listed as missing.
  void Start(v1::ControlRequest request_template, std::map<PeerId, std::string> others,
             Callback done);

  // A STATE_REPLY or refusal of a STATE_REQUEST. False if nobody here waits for it.
  bool OnFrame(const Frame& frame);

 private:
  void FetchNext();
  void Collect(PeerId peer, const SharedBytes& values);
  void Evaluate();
  void Finish(absl::StatusOr<v1::EvaluateAverageResponse> result);

  Transport* const transport_;
  BufferPool* const pool_;
  ParameterOwner* const parameters_;
  EvaluationActor* const evaluator_;
  const FrameIdentity self_;

  Callback done_;
  v1::ControlRequest request_template_;
  std::map<PeerId, std::string> waiting_;
  std::vector<PeerId> collected_;
  std::vector<double> sum_;
  double sum_of_squares_ = 0;
  v1::EvaluateAverageResponse response_;
  std::unique_ptr<StateFetcher> fetcher_;
};

}  // namespace starling

#endif  // STARLING_PEER_STATE_AVERAGE_EVALUATION_H_
