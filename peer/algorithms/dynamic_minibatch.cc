// All-reduce SGD for workers that come and go: the global batch changes with their number, so either the
// step length follows it, slowly, or the batch is shared out anew.

#include "peer/algorithms/row.h"

namespace starling {

AlgorithmRow DynamicMinibatchRow() {
  return {
      "dynamic_minibatch",
      "all-reduce SGD whose step length or batch follows the number of workers",
      "Lin et al. 2019",
      "1904.12043",
      {FlagOption("keep_batch", false, "1: the global batch is shared out; 0: the step length follows it"),
       {"ramp", 100, 1, 1e9, true, true, "steps that a change of the step length takes; up: smoother"},
       {"resync", 100, 0, 1e9, true, true, "as for allreduce_sgd"}},
      AlgorithmGuarantees{.because = "gradients are averaged, parameters every resync steps"},
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext&) -> absl::StatusOr<Algorithm> {
        Algorithm algorithm;
        algorithm.elastic.strategy = options.Flag("keep_batch")
                                         ? ElasticOptions::Strategy::kShareBatch
                                         : ElasticOptions::Strategy::kScaleRate;
        algorithm.elastic.ramp = options.Whole("ramp");
        algorithm.rounds = AverageGradients(options.Whole("resync"));
        return algorithm;
      }};
}

}  // namespace starling
